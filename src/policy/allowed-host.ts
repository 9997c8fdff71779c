/**
 * The grammar of a policy's `hosts`: `scheme://host[:port]`, as Spin's `allowed_outbound_hosts` has it, without
 * Spin's own service names and schemes other than HTTP's. Pure.
 *
 * - scheme: `http`, `https` or `*` for both;
 * - host: a name, an IPv4 address, an IPv6 address in brackets, a block of either (`10.0.0.0/8`,
 *   `[fd00::]/8`), `*.` and a name for every name below it but not the name itself, or `*`;
 * - port: a number, a range `from..to` without its end, or `*`. Absent, it is the scheme's own.
 *
 * What a target means for a request is decided in `egress-rules.ts`.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";
import { parseHostName } from "./host-name.ts";
import { type IpBlock, parseIpBlock } from "./ip-address.ts";

/** A pattern that every allowed host matches; looser than {@link parseAllowedTarget}, for editors. */
export const ALLOWED_HOST_PATTERN = String.raw`^(https?|\*)://[^/?#@\s]+(/[0-9]+(:[^/?#@\s]+)?)?$`;

/** The schemes of outbound HTTP. */
export type HttpScheme = "http" | "https";

/** The host of an allowed target. Names are in lower case, without a final dot. */
export type HostPattern =
  | { readonly kind: "any" }
  | { readonly kind: "name"; readonly name: string }
  /** Every name that ends with `suffix`, which begins with a dot. */
  | { readonly kind: "suffix"; readonly suffix: string }
  | { readonly kind: "block"; readonly block: IpBlock };

/** One allowed target, read. */
export interface AllowedTarget {
  readonly schemes: readonly HttpScheme[];
  readonly host: HostPattern;
  /** First port and the one after the last; `undefined` where a port is the scheme's own. */
  readonly ports: { readonly from: number; readonly end: number } | undefined;
}

export type ParsedTarget =
  | { readonly kind: "target"; readonly target: AllowedTarget }
  /** What is wrong and what to write instead. */
  | { readonly kind: "problem"; readonly problem: string };

/** The largest port number. */
export const MAX_PORT = 65_535;

const SHAPE =
  /^(?<scheme>[^:/]+):\/\/(?<host>\[[^\]]*\]|[^:/?#@[\]]*)(?<prefix>\/[0-9]+)?(?::(?<port>[^/?#@]*))?(?<rest>.*)$/s;

/** Reads one allowed target, or says what is wrong with it. */
export function parseAllowedTarget(text: string): ParsedTarget {
  const parts = SHAPE.exec(text)?.groups;
  if (parts === undefined)
    return problem("write scheme://host or scheme://host:port, for example https://api.example.com");
  const { scheme = "", host = "", prefix = "", port, rest = "" } = parts;
  if (scheme !== "http" && scheme !== "https" && scheme !== "*") return problem("write http, https or * as the scheme");
  if (rest.startsWith("@")) return problem('remove user and password, all up to the "@"');
  if (host !== "" && rest !== "") return problem(`remove "${rest}": only scheme, host and port can be allowed`);
  const pattern = parseHost(host, prefix);
  if (typeof pattern === "string") return problem(pattern);
  const ports = parsePorts(scheme, port);
  if (typeof ports === "string") return problem(ports);
  return { kind: "target", target: { schemes: scheme === "*" ? ["http", "https"] : [scheme], host: pattern, ports } };
}

/** What is wrong with `text` as an allowed target and what to write instead; `undefined` if nothing is. */
export function allowedHostProblem(text: string): string | undefined {
  const parsed = parseAllowedTarget(text);
  return parsed.kind === "problem" ? parsed.problem : undefined;
}

/** The pattern, or what is wrong. */
function parseHost(host: string, prefix: string): HostPattern | string {
  const address = host.startsWith("[") ? host.slice(1, -1) : host;
  if (host.startsWith("[") ? isIPv6(address) && !address.includes("%") : isIPv4(host)) {
    const block = parseIpBlock(address + prefix);
    return block === undefined ? `"${prefix}" is too long for the address` : { kind: "block", block };
  }
  if (prefix !== "") return `remove "${prefix}": only an address can have a length of prefix behind it`;
  if (host === "*") return { kind: "any" };
  if (host === "") return "write a host after the scheme, or * for any";
  if (host.startsWith("[")) return "write an IPv6 address in the brackets";
  const isSuffix = host.startsWith("*.");
  const text = isSuffix ? host.slice(2) : host;
  if (text.includes("*")) return "write * only alone or as the first label, as in *.example.com";
  const name = parseHostName(text);
  if (name === undefined) return `"${host}" is neither a host's name in ASCII nor an IP address`;
  return isSuffix ? { kind: "suffix", suffix: `.${name}` } : { kind: "name", name };
}

/** The ports, or what is wrong. */
function parsePorts(scheme: string, port: string | undefined): AllowedTarget["ports"] | string {
  if (port === undefined)
    return scheme === "*" ? "write a port, for example :443 or :*, because * has no own" : undefined;
  if (port === "*") return { from: 1, end: MAX_PORT + 1 };
  const [, first, last] = /^([1-9][0-9]{0,4})(?:\.\.([1-9][0-9]{0,4}))?$/.exec(port) ?? [];
  const from = Number(first);
  const end = last === undefined ? from + 1 : Number(last);
  if (from < end && from <= MAX_PORT && end <= MAX_PORT + 1) return { from, end };
  return "write a port from 1 to 65535, a range such as 8000..8010 (which ends before 8010), or *";
}

function problem(text: string): ParsedTarget {
  return { kind: "problem", problem: text };
}
