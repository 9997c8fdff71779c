/**
 * `wasi:cli`: an empty environment, no arguments, no terminals, an empty standard input, outputs that become log records,
 * and an exit that traps.
 *
 * @module
 */

import type * as PublishedEnvironment from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-environment";
import type * as PublishedExit from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-exit";
import type * as PublishedStderr from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-stderr";
import type * as PublishedStdin from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-stdin";
import type * as PublishedStdout from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-stdout";
import type { GuestContext } from "../guest/guest-context.ts";
import type { OutputStreamNumber } from "../guest/guest-log.ts";
import { expectVariant } from "../guest/guest-values.ts";
import { absentResource, HOST_ONLY, type Namespace, namespace } from "../guest/namespaces.ts";
import type { Functions } from "./published-types.ts";
import { InputStream, OutputStream } from "./streams.ts";

export const environment: Namespace = namespace({
  getEnvironment: () => [],
  getArguments: () => [],
  initialCwd: () => undefined,
} satisfies Functions<typeof PublishedEnvironment>);

export const terminalInput: Namespace = namespace({ TerminalInput: absentResource() });
export const terminalOutput: Namespace = namespace({ TerminalOutput: absentResource() });
export const terminalStdin: Namespace = namespace({ getTerminalStdin: () => undefined });
export const terminalStdout: Namespace = namespace({ getTerminalStdout: () => undefined });
export const terminalStderr: Namespace = namespace({ getTerminalStderr: () => undefined });

export function createExit(context: GuestContext): Namespace {
  return namespace({
    exit(status: unknown): never {
      const { tag } = expectVariant(status, ["ok", "err"]);
      throw context.trap(tag === "ok" ? "the plugin called exit" : "the plugin called exit with a failure");
    },
  } satisfies Functions<typeof PublishedExit>);
}

export function createStdin(context: GuestContext): Namespace {
  return namespace({ getStdin: () => new InputStream(HOST_ONLY, context) } satisfies Functions<typeof PublishedStdin>);
}

export function createStdout(context: GuestContext): Namespace {
  return namespace({ getStdout: () => output(context, 1) } satisfies Functions<typeof PublishedStdout>);
}

export function createStderr(context: GuestContext): Namespace {
  return namespace({ getStderr: () => output(context, 2) } satisfies Functions<typeof PublishedStderr>);
}

function output(context: GuestContext, stream: OutputStreamNumber): OutputStream {
  const write = (bytes: Uint8Array): void => context.log.write(stream, bytes);
  return new OutputStream(HOST_ONLY, context, { permit: Infinity, write, isConstant: true });
}
