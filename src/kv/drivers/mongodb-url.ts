/**
 * What may be in a MongoDB URL. Everything in it that can never work is refused at the start, by a message that
 * says which part it is and what to write instead.
 *
 * No message holds a value of the URL: what is taken for a host or an option may be part of a password that was not
 * encoded.
 *
 * @module
 */

import { urlInvalid } from "./mongodb-url-error.ts";
import { type MongoUrlOptions, nameOfOption, parseOptions, requireWorkable, secretsOf } from "./mongodb-url-options.ts";

/** Where the data goes if neither the option nor the URL says. */
const DEFAULT_DATABASE = "network-host";

/** Bytes of a database's name that MongoDB takes. */
const MAX_DATABASE_BYTES = 63;

/** The parts of a URL that were looked at. */
export interface MongoUrl {
  readonly text: string;
  readonly database: string;
  readonly options: MongoUrlOptions;
  /** What no message may hold. */
  readonly secrets: readonly string[];
}

/**
 * Takes a URL apart.
 *
 * @param source what the message calls it: the flag or the variable that it came from
 * @param database goes before the URL's
 * @throws HostError `usage-invalid` for what can never work
 */
export async function readMongoUrl(text: string, source: string, database: string | undefined): Promise<MongoUrl> {
  const decode = (part: string): string => decodePart(part, source);
  const { authority, path, query } = splitUrl(text, source);
  const options = parseOptions(query, source, decode);
  await requireWorkable(options, source);
  const password = passwordIn(authority);
  const secrets = [password, decode(password), ...secretsOf(options)].filter((secret) => secret !== "");
  return { text, database: requireDatabase(database ?? (decode(path) || DEFAULT_DATABASE), source), options, secrets };
}

/** The URL without each of its options in turn, to find out which one makes a parser refuse it. */
export function* withoutEachOption({ text }: MongoUrl): Iterable<{ readonly option: string; readonly text: string }> {
  const at = text.indexOf("?");
  if (at < 0) return;
  const pairs = text.slice(at + 1).split("&");
  for (const [index, pair] of pairs.entries()) {
    const option = nameOfOption(pair);
    const rest = pairs.toSpliced(index, 1).join("&");
    if (option !== undefined) yield { option, text: rest === "" ? text.slice(0, at) : `${text.slice(0, at)}?${rest}` };
  }
}

interface UrlParts {
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

const URL_SHAPE = /^mongodb(?:\+srv)?:\/\/(?<authority>[^/?]+)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/s;

function splitUrl(text: string, source: string): UrlParts {
  const groups = URL_SHAPE.exec(text)?.groups;
  if (groups === undefined) throw urlInvalid(source, "it does not begin with mongodb:// or mongodb+srv:// and a host");
  const { authority = "", path = "", query = "" } = groups;
  // A password with a raw '@', '/' or '?' would be cut in two, and its end taken for something else and reported.
  const hasUser = authority.includes("@");
  if (authority.split("@").length > 2 || path.includes("@") || (!hasUser && query.includes("@")))
    throw urlInvalid(source, "its user name or password holds a character that must be percent-encoded");
  return { authority, path, query };
}

/** As it stands there; empty for none. */
function passwordIn(authority: string): string {
  const at = authority.lastIndexOf("@");
  const [, password = ""] = at < 0 ? [] : authority.slice(0, at).split(/:(.*)/s);
  return password;
}

function decodePart(text: string, source: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlInvalid(source, "it holds a '%' that does not begin a percent-encoded character");
  }
}

function requireDatabase(name: string, source: string): string {
  const flaw = flawOfDatabase(name);
  if (flaw === undefined) return name;
  const advice = "name another database behind the host: mongodb://host/my-database";
  throw urlInvalid(source, `its database's name ${flaw}`, advice);
}

/** As a server on Unix has it. */
const REFUSED_CHARACTERS = /[/\\. "$\0]/;
/** No other database may differ from one of these in case alone. */
const OWN_DATABASES = ["admin", "config", "local"];

function flawOfDatabase(name: string): string | undefined {
  if (REFUSED_CHARACTERS.test(name)) return 'holds one of the characters / \\ . " $, a space or NUL';
  if (Buffer.byteLength(name) > MAX_DATABASE_BYTES) return `has more than ${MAX_DATABASE_BYTES} bytes`;
  const own = OWN_DATABASES.find((database) => database === name.toLowerCase());
  if (own === "local") return "is local, which MongoDB does not replicate";
  return own === undefined || own === name ? undefined : `differs from MongoDB's own ${own} in case alone`;
}
