/**
 * The two implementations of WASI that are compared: the runner's and preview2-shim's browser build, which is its
 * synchronous one and is given an empty surrounding. Both are reached through the shim's published types.
 *
 * What differs by convention is evened out here: where a function has a `result`, the runner returns
 * `{ tag, val }`, while the shim returns the value and throws the error. Whatever else is thrown is a trap.
 */

import * as shim from "../../../../node_modules/@bytecodealliance/preview2-shim/dist/browser/index.js";
import type * as Environment from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-environment";
import type * as Exit from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-exit";
import type * as Stdin from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-stdin";
import type * as Stdout from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-stdout";
import type * as TerminalStderr from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-terminal-stderr";
import type * as TerminalStdin from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-terminal-stdin";
import type * as TerminalStdout from "@bytecodealliance/preview2-shim/interfaces/wasi-cli-terminal-stdout";
import type * as MonotonicClock from "@bytecodealliance/preview2-shim/interfaces/wasi-clocks-monotonic-clock";
import type * as WallClock from "@bytecodealliance/preview2-shim/interfaces/wasi-clocks-wall-clock";
import type * as Preopens from "@bytecodealliance/preview2-shim/interfaces/wasi-filesystem-preopens";
import type * as OutgoingHandler from "@bytecodealliance/preview2-shim/interfaces/wasi-http-outgoing-handler";
import type * as Http from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type * as Poll from "@bytecodealliance/preview2-shim/interfaces/wasi-io-poll";
import type * as Insecure from "@bytecodealliance/preview2-shim/interfaces/wasi-random-insecure";
import type * as InsecureSeed from "@bytecodealliance/preview2-shim/interfaces/wasi-random-insecure-seed";
import type * as Random from "@bytecodealliance/preview2-shim/interfaces/wasi-random-random";
import type * as InstanceNetwork from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-instance-network";
import type * as Lookup from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-ip-name-lookup";
import type * as TcpCreate from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-tcp-create-socket";
import type * as UdpCreate from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-udp-create-socket";
import { expect } from "vitest";
import { GuestContext } from "../../../../src/runner/guest/guest-context.ts";
import { createImportsFactory, PROVIDED_INTERFACES } from "../../../../src/runner/imports.ts";

/** The runner's permit of one `check-write`, which the shim leaves to its embedder. */
const PERMIT_BYTES = 65_536n;

const MAX_LOG_BYTES = 8 * 1024 * 1024;

export interface Wasi {
  readonly environment: typeof Environment;
  readonly exit: typeof Exit;
  readonly stdin: typeof Stdin;
  readonly stdout: typeof Stdout;
  readonly terminalStdin: typeof TerminalStdin;
  readonly terminalStdout: typeof TerminalStdout;
  readonly terminalStderr: typeof TerminalStderr;
  readonly monotonicClock: typeof MonotonicClock;
  readonly wallClock: typeof WallClock;
  readonly preopens: typeof Preopens;
  readonly http: typeof Http;
  readonly outgoingHandler: typeof OutgoingHandler;
  readonly poll: typeof Poll;
  readonly random: typeof Random;
  readonly insecure: typeof Insecure;
  readonly insecureSeed: typeof InsecureSeed;
  readonly instanceNetwork: typeof InstanceNetwork;
  readonly lookup: typeof Lookup;
  readonly tcp: typeof TcpCreate;
  readonly udp: typeof UdpCreate;
}

/** What a guest sees of one call. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "trap" };

export const TRAP: Outcome = { kind: "trap" };

export function value(seen?: unknown): Outcome {
  return { kind: "value", value: seen };
}

export function error(seen?: unknown): Outcome {
  return { kind: "error", error: seen };
}

/** One implementation, made for one guest. */
export class Side {
  readonly wasi: Wasi;
  readonly #wasTrapped: () => boolean;
  /** The lines of standard output, blank ones aside. */
  readonly outputLines: () => readonly string[];

  constructor(wasi: Wasi, wasTrapped: () => boolean, outputLines: () => readonly string[]) {
    this.wasi = wasi;
    this.#wasTrapped = wasTrapped;
    this.outputLines = outputLines;
  }

  /** Makes a call and tells what came of it, as plain data. */
  attempt(call: () => unknown): Outcome {
    const outcome = this.#call(call);
    return outcome.kind === "value" ? value(plain(outcome.value)) : outcome;
  }

  /** Makes a call that must not fail, mostly for the resource that it gives. */
  take<Value>(call: () => Value): Value {
    const outcome = this.#call(call);
    if (outcome.kind !== "value") throw new Error(`the call ended as ${outcome.kind}`);
    return outcome.value as Value;
  }

  #call(call: () => unknown): Outcome {
    try {
      const answer = call();
      if (this.#wasTrapped()) return TRAP;
      if (!isResult(answer)) return value(answer);
      return answer.tag === "ok" ? value(answer.val) : error(answer.val);
    } catch (thrown) {
      return thrown instanceof Error ? TRAP : error(thrown);
    }
  }
}

export function openRunner(): Side {
  const context = new GuestContext(MAX_LOG_BYTES);
  const lines: string[] = [];
  context.bind({
    log: () => undefined,
    output: (_stream, text) => lines.push(text.replaceAll("\\u{0}", "\0")),
    capability: () => undefined,
    trapped: () => undefined,
  });
  const imports = createImportsFactory(PROVIDED_INTERFACES)(context);
  const wasi = {
    environment: imports["wasi:cli/environment"],
    exit: imports["wasi:cli/exit"],
    stdin: imports["wasi:cli/stdin"],
    stdout: imports["wasi:cli/stdout"],
    terminalStdin: imports["wasi:cli/terminal-stdin"],
    terminalStdout: imports["wasi:cli/terminal-stdout"],
    terminalStderr: imports["wasi:cli/terminal-stderr"],
    monotonicClock: imports["wasi:clocks/monotonic-clock"],
    wallClock: imports["wasi:clocks/wall-clock"],
    preopens: imports["wasi:filesystem/preopens"],
    http: imports["wasi:http/types"],
    outgoingHandler: imports["wasi:http/outgoing-handler"],
    poll: imports["wasi:io/poll"],
    random: imports["wasi:random/random"],
    insecure: imports["wasi:random/insecure"],
    insecureSeed: imports["wasi:random/insecure-seed"],
    instanceNetwork: imports["wasi:sockets/instance-network"],
    lookup: imports["wasi:sockets/ip-name-lookup"],
    tcp: imports["wasi:sockets/tcp-create-socket"],
    udp: imports["wasi:sockets/udp-create-socket"],
  } as unknown as Wasi;
  return new Side(
    wasi,
    () => context.trapMessage !== undefined,
    () => {
      context.log.finish();
      return lines;
    },
  );
}

export function openShim(): Side {
  const written: Buffer[] = [];
  const cli = shim.cli.createCli({
    stdout: { checkWrite: () => PERMIT_BYTES, write: (bytes) => void written.push(Buffer.from(bytes)) },
  });
  const wasi: Wasi = {
    ...cli,
    ...shim.clocks,
    ...shim.random,
    preopens: shim.filesystem.preopens,
    http: shim.http.types,
    outgoingHandler: shim.http.outgoingHandler,
    poll: shim.io.poll,
    instanceNetwork: shim.sockets.instanceNetwork,
    lookup: shim.sockets.ipNameLookup,
    tcp: shim.sockets.tcpCreateSocket,
    udp: shim.sockets.udpCreateSocket,
  };
  const outputLines = (): string[] =>
    Buffer.concat(written)
      .toString("latin1")
      .split("\n")
      .filter((line) => line !== "");
  return new Side(wasi, () => false, outputLines);
}

/** Both sides, each made for a guest of its own, show the same. */
export function expectAgreement(observe: (side: Side) => unknown): void {
  expect(observe(openRunner())).toEqual(observe(openShim()));
}

function isResult(answer: unknown): answer is { tag: "ok" | "err"; val: unknown } {
  const tag = typeof answer === "object" && answer !== null && "tag" in answer ? answer.tag : undefined;
  return tag === "ok" || tag === "err";
}

/** Bytes as text, lists as arrays, resources by that word. */
function plain(seen: unknown): unknown {
  if (seen instanceof Uint8Array) return Buffer.from(seen).toString("latin1");
  if (seen instanceof Uint32Array) return [...seen];
  if (Array.isArray(seen)) return seen.map(plain);
  if (typeof seen !== "object" || seen === null) return seen;
  return Object.getPrototypeOf(seen) === Object.prototype ? seen : "resource";
}
