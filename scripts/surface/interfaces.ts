/**
 * What each interface that a plugin may import does for it, for the page of its author. The gate's table of interfaces and the
 * runner's are what decides; {@link interfaceTable} refuses to describe anything else.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { offeredVersion } from "../../src/compiler/gate/check-world.ts";
import { HANDLER_ID } from "../../src/contract/interface-names.ts";
import { INTERFACES } from "../../src/contract/generated/interfaces.ts";
import { PROVIDED_INTERFACES } from "../../src/runner/imports.ts";
import { ROOT } from "../lib/project.ts";

const TYPES = join(ROOT, "node_modules/@bytecodealliance/preview2-shim/types/interfaces");

/** `works`: as its specification says. `empty`: it answers that there is nothing. `denied`: it answers with an error. */
type Behaviour = "works" | "empty" | "denied";

const TYPES_ONLY = "local:network-host/types";

const BEHAVIOURS: Readonly<Record<string, readonly [Behaviour, string]>> = {
  [TYPES_ONLY]: ["works", "types alone"],
  "local:network-host/logging": ["works", "lines in the replica's log, marked as the plugin's"],
  "local:network-host/key-value-store": [
    "works",
    "within the grant; else each operation returns `access-denied` as its error",
  ],
  "wasi:http/types": ["works", "outbound requests and their responses"],
  "wasi:http/outgoing-handler": ["works", "hosts of the grant; else `HTTP-request-denied`"],
  "wasi:io/error": ["works", "errors of streams"],
  "wasi:io/poll": ["works", "waiting, also for timers; the request's deadline cuts it off"],
  "wasi:io/streams": ["works", "standard streams, and bodies of HTTP"],
  "wasi:clocks/monotonic-clock": ["works", "ticks in milliseconds"],
  "wasi:clocks/wall-clock": ["works", "ticks in milliseconds"],
  "wasi:random/random": ["works", "cryptographically secure"],
  "wasi:random/insecure": ["works", "secure as well"],
  "wasi:random/insecure-seed": ["works", "another one in each instance"],
  "wasi:cli/environment": ["empty", "no variables, no arguments, no working directory"],
  "wasi:cli/exit": ["works", "ends the request as a trap, also with `ok`"],
  "wasi:cli/stdin": ["empty", "at its end from the start"],
  "wasi:cli/stdout": ["works", "lines in the replica's log"],
  "wasi:cli/stderr": ["works", "lines in the replica's log"],
  "wasi:cli/terminal-input": ["empty", "types alone"],
  "wasi:cli/terminal-output": ["empty", "types alone"],
  "wasi:cli/terminal-stdin": ["empty", "no terminal"],
  "wasi:cli/terminal-stdout": ["empty", "no terminal"],
  "wasi:cli/terminal-stderr": ["empty", "no terminal"],
  "wasi:filesystem/preopens": ["empty", "no directory"],
  "wasi:filesystem/types": ["empty", "no descriptor, so no file"],
  "wasi:sockets/network": ["works", "types and error codes"],
  "wasi:sockets/instance-network": ["works", "a handle that nothing can be done with"],
  "wasi:sockets/ip-name-lookup": ["denied", "`access-denied`"],
  "wasi:sockets/tcp": ["empty", "no socket exists"],
  "wasi:sockets/tcp-create-socket": ["denied", "`access-denied`"],
  "wasi:sockets/udp": ["empty", "no socket exists"],
  "wasi:sockets/udp-create-socket": ["denied", "`access-denied`"],
};

/** The interfaces that the gate lets a component import. Throws where the runner provides others, or the texts name others. */
export function importableInterfaces(): readonly string[] {
  const gate = Object.keys(INTERFACES).filter((id) => id !== HANDLER_ID);
  requireSame("the runner provides", [...PROVIDED_INTERFACES, TYPES_ONLY], gate);
  requireSame("the page describes", Object.keys(BEHAVIOURS), gate);
  return Object.keys(BEHAVIOURS);
}

function requireSame(what: string, found: readonly string[], gate: readonly string[]): void {
  const different = new Set(found).symmetricDifference(new Set(gate));
  if (different.size > 0)
    throw new Error(`${what} other interfaces than the gate allows: ${[...different].join(", ")}`);
}

/** The table of what a component may import. */
export function interfaceTable(): string {
  const rows = importableInterfaces().map((id) => {
    const [behaviour, note] = BEHAVIOURS[id] ?? ["denied", ""];
    return `| \`${id}\` | ${offeredVersion(id) ?? "any 0.2.x"} | ${behaviour} | ${note} |`;
  });
  return `| interface | version | is | what a plugin gets |\n| --- | --- | --- | --- |\n${rows.join("\n")}`;
}

/** WASI 0.2's interfaces that a component may not import, out of those that jco publishes types of. */
export async function absentInterfaces(): Promise<string> {
  const packages = new Set(importableInterfaces().map((id) => id.slice(0, id.indexOf("/") + 1)));
  const published = (await readdir(TYPES)).flatMap((file) => {
    const [, name, member] = /^wasi-([a-z]+)-(.+)\.d\.ts$/.exec(file) ?? [];
    return name === undefined ? [] : [`wasi:${name}/${member}`];
  });
  if (published.length < packages.size) throw new Error(`the types of WASI are not in ${TYPES}`);
  const absent = published.filter((id) => !importableInterfaces().includes(id));
  return absent.map((id) => `\`${id}\``).join(" and ");
}
