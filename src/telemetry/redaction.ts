/**
 * Keeps credentials out of logs and terminals. A driver's errors may quote its connection string, so every such text
 * passes through here. In doubt, this module hides too much rather than too little. Its time is linear in the length of
 * the text.
 *
 * @module
 */

/** Replaces a credential. */
export const REDACTED = "***";

/** Characters that end the authority of a URL (RFC 3986, section 3.2). */
const AUTHORITY_END = /[/?#]/;

/** A parameter whose name says that its value is secret, as in `?tlsCertificateKeyFilePassword=…`. */
const SECRET_PARAMETER =
  /([?&;][A-Za-z_.-]{0,64}(?:password|passwd|secret|token|credential|api_?key)[A-Za-z_.-]{0,64}=)[^&;#\s"]+/gi;

/** Replaces `//user:password@`, `//token@` and secret parameters wherever they are in a text. */
export function scrubSecrets(text: string): string {
  let scrubbed = text;
  if (scrubbed.includes("//") && scrubbed.includes("@")) scrubbed = scrubbed.replace(/[^\s"]+/g, scrubWord);
  return scrubbed.includes("=") ? scrubbed.replace(SECRET_PARAMETER, `$1${REDACTED}`) : scrubbed;
}

/**
 * A password may contain an unescaped `@` or `/` by mistake. So everything is removed from the first `//` that may
 * begin credentials up to the word's last `@`.
 */
function scrubWord(word: string): string {
  const at = word.lastIndexOf("@");
  for (let start = word.indexOf("//"); start !== -1 && start < at; start = word.indexOf("//", start + 2)) {
    const rest = word.slice(start + 2, at);
    const end = rest.search(AUTHORITY_END);
    const authority = end === -1 ? rest : rest.slice(0, end);
    if (end === -1 || authority.includes(":") || authority.includes("@")) {
      return `${word.slice(0, start + 2)}${REDACTED}${word.slice(at)}`;
    }
  }
  return word;
}
