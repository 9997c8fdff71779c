/**
 * Keeps credentials out of logs and terminals. Errors of a driver may quote the connection string they were
 * given, so every text that leaves the process passes through here: too much is hidden rather than too
 * little. The time that it takes is linear in the text.
 *
 * @module
 */

/** What is in the place of a credential. */
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
 * A password may itself hold `@` or `/`, unescaped by mistake: so all from the first `//` that may begin
 * credentials up to the word's last `@` goes.
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
