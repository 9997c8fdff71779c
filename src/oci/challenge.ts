/**
 * A registry's `WWW-Authenticate`: which way of saying who one is it asks for. Pure.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @module
 */

export type Challenge =
  | { readonly kind: "basic" }
  | {
      readonly kind: "bearer";
      /** The token server. */
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const MAX_CHARACTERS = 4_096;
const SCHEME = /^\s*(Bearer|Basic)(?:\s+|$)/i;
/** One parameter. A value has no backslash in a URL or a scope, so that no nesting is needed to read one. */
const PARAMETER = /\s*([a-z_]{1,32})\s*=\s*(?:"([^"\\]*)"|([^\s",]+))\s*(?:,|$)/giy;

/** Reads a challenge; `undefined` where it is of another kind or malformed. */
export function parseChallenge(text: string): Challenge | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const scheme = SCHEME.exec(text);
  if (scheme === null) return undefined;
  if (scheme[1]?.toLowerCase() === "basic") return { kind: "basic" };
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = scheme[0].length;
  for (let found = PARAMETER.exec(text); found !== null; found = PARAMETER.exec(text)) {
    const [, name = "", quoted, bare] = found;
    parameters.set(name.toLowerCase(), quoted ?? bare ?? "");
  }
  const realm = parameters.get("realm");
  if (realm === undefined || realm === "") return undefined;
  return { kind: "bearer", realm, service: parameters.get("service"), scope: parameters.get("scope") };
}
