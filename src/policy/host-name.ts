/**
 * The one grammar of a host's name, for policies and for requests alike: with two grammars, a request could be
 * sent to a host that no policy can name. Pure.
 *
 * Letters, digits and "-" are RFC 1123's. The "_" is beside it, since DNS has it and the names of services in Compose
 * and Swarm do (RFC 8552 for those that begin with it). A final dot says that a name is whole, which all names are
 * here: with and without it they are one.
 *
 * @module
 */

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, "i");
/** The rules of URLs take a last label of digits, or `0x…`, for part of an IPv4 address: no name ends so. */
const NUMERIC_END = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/i;

/** The name in its one spelling, in lower case and without a final dot; `undefined` where `text` is not one. */
export function parseHostName(text: string): string | undefined {
  const name = text.replace(/\.$/, "").toLowerCase();
  return NAME.test(name) && !NUMERIC_END.test(name) ? name : undefined;
}
