/**
 * A request's target: an `authority` as a plugin wrote it, parsed the same way as it is then dialled. A
 * URL has many spellings for one IPv4 address (`0x7f.1`, `2130706433`, `127.0.0.1`): the URL parser's rules turn
 * them into one, so that what is checked is what is dialled. Pure.
 *
 * Refuses user information, a path, a query, percent-encoding, zones, port 0, and names that no policy could allow.
 *
 * @see https://url.spec.whatwg.org/#host-parsing
 * @module
 */

import type { HttpScheme } from "./allowed-host.ts";
import { parseHostName } from "./host-name.ts";
import { type IpAddress, parseIpAddress } from "./ip-address.ts";

/** The host of a request: in lower case, without brackets and without a final dot. */
export type TargetHost =
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "address"; readonly text: string; readonly address: IpAddress };

/** Where a request goes. */
export interface HttpTarget {
  readonly scheme: HttpScheme;
  readonly host: TargetHost;
  readonly port: number;
  /** `scheme://host[:port]` in the one spelling of its kind; without the port where it is the scheme's own. */
  readonly origin: string;
}

const AUTHORITY = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
const DEFAULT_PORTS: Readonly<Record<HttpScheme, number>> = { http: 80, https: 443 };
const MAX_AUTHORITY_CHARACTERS = 320;

/** Reads an authority; `undefined` where it is not one. */
export function parseHttpTarget(scheme: HttpScheme, authority: string): HttpTarget | undefined {
  if (authority.length > MAX_AUTHORITY_CHARACTERS || !AUTHORITY.test(authority)) return undefined;
  const url = URL.parse(`${scheme}://${authority}/`);
  if (url === null || url.port === "0") return undefined;
  const host = parseHost(url.hostname);
  if (host === undefined) return undefined;
  const written = host.kind === "address" && host.address.bits === 128 ? `[${host.text}]` : host.text;
  const port = url.port === "" ? DEFAULT_PORTS[scheme] : Number(url.port);
  return { scheme, host, port, origin: `${scheme}://${written}${url.port === "" ? "" : `:${url.port}`}` };
}

function parseHost(hostname: string): TargetHost | undefined {
  const text = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname.replace(/\.$/, "");
  const address = parseIpAddress(text);
  if (address !== undefined) return { kind: "address", text, address };
  const name = parseHostName(hostname);
  return name === undefined ? undefined : { kind: "name", text: name };
}
