/**
 * Every interface that a plugin may import, by its name without a version: one implementation serves all 0.2.x versions of
 * a WASI interface. An instance gets the interfaces that its component imports, and no others.
 *
 * @module
 */

import { CAPABILITY_PROVIDERS } from "../capabilities/guest.ts";
import { withoutVersion } from "../contract/interface-names.ts";
import type { GuestContext, Provider } from "./guest/guest-context.ts";
import type { Namespace } from "./guest/namespaces.ts";
import * as cli from "./wasi/cli.ts";
import { wallClock } from "./wasi/clocks.ts";
import * as filesystem from "./wasi/filesystem.ts";
import { createMonotonicClock, createPoll } from "./wasi/poll.ts";
import * as random from "./wasi/random.ts";
import * as sockets from "./wasi/sockets.ts";
import { error, streams } from "./wasi/streams.ts";

const PROVIDERS: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  ...CAPABILITY_PROVIDERS,
  ["wasi:io/error", error],
  ["wasi:io/poll", createPoll],
  ["wasi:io/streams", streams],
  ["wasi:clocks/monotonic-clock", createMonotonicClock],
  ["wasi:clocks/wall-clock", wallClock],
  ["wasi:random/random", random.createRandom],
  ["wasi:random/insecure", random.createInsecure],
  ["wasi:random/insecure-seed", random.createInsecureSeed],
  ["wasi:cli/environment", cli.environment],
  ["wasi:cli/exit", cli.createExit],
  ["wasi:cli/stdin", cli.createStdin],
  ["wasi:cli/stdout", cli.createStdout],
  ["wasi:cli/stderr", cli.createStderr],
  ["wasi:cli/terminal-input", cli.terminalInput],
  ["wasi:cli/terminal-output", cli.terminalOutput],
  ["wasi:cli/terminal-stdin", cli.terminalStdin],
  ["wasi:cli/terminal-stdout", cli.terminalStdout],
  ["wasi:cli/terminal-stderr", cli.terminalStderr],
  ["wasi:filesystem/preopens", filesystem.preopens],
  ["wasi:filesystem/types", filesystem.types],
  ["wasi:sockets/network", sockets.network],
  ["wasi:sockets/instance-network", sockets.createInstanceNetwork],
  ["wasi:sockets/ip-name-lookup", sockets.ipNameLookup],
  ["wasi:sockets/tcp", sockets.tcp],
  ["wasi:sockets/tcp-create-socket", sockets.tcpCreateSocket],
  ["wasi:sockets/udp", sockets.udp],
  ["wasi:sockets/udp-create-socket", sockets.udpCreateSocket],
]);

/** The names of all interfaces, without versions. */
export const PROVIDED_INTERFACES: readonly string[] = [...PROVIDERS.keys()];

/** The namespace of one interface for an instance. `interfaceId` has no version; `undefined` for an unknown one. */
export function createImport(interfaceId: string, context: GuestContext): Namespace | undefined {
  const provider = PROVIDERS.get(interfaceId);
  return typeof provider === "function" ? provider(context) : provider;
}

/** Makes the namespaces of an instance, keyed by interface name without a version. */
export type ImportsFactory = (context: GuestContext) => Readonly<Record<string, Namespace>>;

/** A factory for a component that imports `interfaces` (with or without versions). It leaves unknown ones out. */
export function createImportsFactory(interfaces: readonly string[]): ImportsFactory {
  const names = new Set(interfaces.map(withoutVersion));
  const providers = [...PROVIDERS].filter(([name]) => names.has(name));
  return (context) => {
    const imports = Object.create(null) as Record<string, Namespace>;
    for (const [name, provider] of providers)
      imports[name] = typeof provider === "function" ? provider(context) : provider;
    return Object.freeze(imports);
  };
}
