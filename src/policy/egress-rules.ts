/**
 * The decision on outbound HTTP: may this request be sent, and to which addresses? Pure: the broker asks the
 * first question on every request, and the dialler asks the second about the very address it dials, after
 * every look-up of a name.
 *
 * An address of the public internet may be dialled for every request that is allowed. An address that is not
 * (`special-addresses.ts`) only where the policy names it itself: by an address, or by a block that lies wholly
 * within the special one, for this scheme, port and method. `localhost`, written out in the policy and asked for
 * by that name, opens loopback. No other name opens anything: a name's owner decides where it leads, so a name
 * that leads to a private address also needs a block in the policy.
 *
 * @module
 */

import { type AllowedTarget, type HostPattern, parseAllowedTarget } from "./allowed-host.ts";
import type { HttpTarget, TargetHost } from "./http-target.ts";
import { blockHolds, type IpBlock, parseIpAddress } from "./ip-address.ts";
import type { AllowedHost } from "./policy.ts";
import { LOOPBACK_BLOCKS, specialBlocksOf } from "./special-addresses.ts";

/** May an address be dialled? */
export type DialDecision =
  | { readonly kind: "allowed" }
  /** `what` the address is, as `a loopback address`. */
  | { readonly kind: "refused"; readonly what: string };

/** Which addresses one request may be sent to. */
export interface DialRules {
  /** Equal for requests that may be sent to the same addresses: a connection opened for one serves the others. */
  readonly key: string;
  /** Decides on an address as a resolver or a socket writes it. What is not an address is refused. */
  decide(address: string): DialDecision;
}

export type EgressDecision =
  | { readonly kind: "allowed"; readonly dial: DialRules }
  /**
   * `target`: the policy allows no such request. `address`: it allows the target by a pattern, but not the kind of
   * address that it is. The reason is a part of a sentence: `the policy allows no …`.
   */
  | { readonly kind: "refused"; readonly by: "target" | "address"; readonly reason: string };

/** The rules of one grant. */
export interface EgressRules {
  /** May a request with this method (in upper case) be sent to this target? */
  decide(target: HttpTarget, method: string): EgressDecision;
}

interface Rule extends AllowedTarget {
  /** Absent: any. */
  readonly methods: ReadonlySet<string> | undefined;
}

/** What one policy says of a request. */
type Reach =
  | { readonly kind: "reached"; readonly opened: readonly IpBlock[] }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Makes the rules of a policy's `hosts`. Entries that are not an allowed target allow nothing. If there are several
 * policies, the request and its address need the permission of each.
 */
export function createEgressRules(
  hosts: readonly AllowedHost[],
  ...others: readonly (readonly AllowedHost[])[]
): EgressRules {
  const [first, ...further] = [hosts, ...others].map(readRules);
  return {
    decide(target, method) {
      let reach = reachOf(first ?? [], target, method);
      for (const rules of further) reach = bothOf(reach, reachOf(rules, target, method));
      if (reach.kind === "refused") return { kind: "refused", by: "target", reason: reach.reason };
      const dial = dialRules(reach.opened);
      if (target.host.kind === "name") return { kind: "allowed", dial };
      const decision = dial.decide(target.host.text);
      if (decision.kind === "allowed") return { kind: "allowed", dial };
      const reason = `the host in ${target.origin} is ${decision.what}, and the policy does not name it`;
      return { kind: "refused", by: "address", reason };
    },
  };
}

function readRules(hosts: readonly AllowedHost[]): readonly Rule[] {
  return hosts.flatMap((host): Rule[] => {
    const { target, methods } = typeof host === "string" ? { target: host, methods: undefined } : host;
    const parsed = parseAllowedTarget(target);
    if (parsed.kind === "problem") return [];
    return [{ ...parsed.target, methods: methods === undefined ? undefined : new Set<string>(methods) }];
  });
}

function reachOf(rules: readonly Rule[], target: HttpTarget, method: string): Reach {
  const applying = rules.filter((rule) => isFor(rule, target));
  if (!applying.some((rule) => matchesHost(rule.host, target.host)))
    return { kind: "refused", reason: `the policy allows no ${target.origin}` };
  const allowing = applying.filter(({ methods }) => methods === undefined || methods.has(method));
  if (!allowing.some((rule) => matchesHost(rule.host, target.host)))
    return { kind: "refused", reason: `the policy allows no ${method} to ${target.origin}` };
  return { kind: "reached", opened: allowing.flatMap((rule) => opensOf(rule.host, target.host)) };
}

function bothOf(one: Reach, other: Reach): Reach {
  if (one.kind === "refused") return one;
  if (other.kind === "refused") return other;
  const opened = [
    ...one.opened.filter((block) => other.opened.some((open) => opensBlock(open, block))),
    ...other.opened.filter((block) => one.opened.some((open) => opensBlock(open, block))),
  ];
  return { kind: "reached", opened };
}

/** Does one block, where it is in a policy, open all that the other one opens? A wider one may open nothing. */
function opensBlock(open: IpBlock, block: IpBlock): boolean {
  return blockHolds(open, block) && specialBlocksOf(block).every((special) => blockHolds(special.block, open));
}

function isFor({ schemes, ports }: Rule, { scheme, port }: HttpTarget): boolean {
  if (!schemes.includes(scheme)) return false;
  if (ports !== undefined) return port >= ports.from && port < ports.end;
  return port === (scheme === "http" ? 80 : 443);
}

function matchesHost(pattern: HostPattern, host: TargetHost): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "name":
      return host.kind === "name" && host.text === pattern.name;
    case "suffix":
      return host.kind === "name" && host.text.endsWith(pattern.suffix) && host.text.length > pattern.suffix.length;
    case "block":
      return host.kind === "address" && blockHolds(pattern.block, host.address);
  }
}

/** The blocks that a rule opens to a request for `host`. */
function opensOf(pattern: HostPattern, host: TargetHost): readonly IpBlock[] {
  if (pattern.kind === "block") return [pattern.block];
  return pattern.kind === "name" && pattern.name === "localhost" && matchesHost(pattern, host) ? LOOPBACK_BLOCKS : [];
}

function dialRules(opened: readonly IpBlock[]): DialRules {
  const key = [...new Set(opened.map(({ bits, value, prefix }) => `${bits}:${value}/${prefix}`))].sort().join(" ");
  return {
    key,
    decide(text) {
      const address = parseIpAddress(text);
      if (address === undefined) return { kind: "refused", what: "no IP address" };
      const closed = specialBlocksOf(address).find(
        ({ block }) => !opened.some((open) => blockHolds(open, address) && blockHolds(block, open)),
      );
      return closed === undefined ? { kind: "allowed" } : { kind: "refused", what: closed.what };
    },
  };
}
