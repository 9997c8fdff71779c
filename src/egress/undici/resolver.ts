/**
 * Looking names up. By DNS alone and on no thread of Node's pool: a plugin that asks for slow names must not hold
 * the few threads that the rest of the host opens files with. So `/etc/hosts` and search domains do not count,
 * and a name is always the whole name.
 *
 * @module
 */

import { Resolver } from "node:dns/promises";

/** Finds the addresses of a name; at least one. Rejects with an error that has a `code`, as Node's resolvers do. */
export type Resolve = (name: string) => Promise<readonly string[]>;

const ATTEMPT_TIMEOUT_MS = 1_500;
const ATTEMPTS = 2;

/** A resolver that asks the machine's name servers. */
export function createResolver(): Resolve {
  return async (name) => {
    const resolver = new Resolver({ timeout: ATTEMPT_TIMEOUT_MS, tries: ATTEMPTS });
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    // One family is enough; a name without the other is no failure.
    if (four.status === "rejected" && six.status === "rejected") return await Promise.reject(worse(four, six));
    return [four, six].flatMap((found) => (found.status === "fulfilled" ? found.value : []));
  };
}

/** A server's failure says more than the absence of one kind of records. */
function worse(...failures: readonly PromiseRejectedResult[]): unknown {
  const telling = failures.find(({ reason }) => (reason as { code?: unknown }).code !== "ENODATA");
  return (telling ?? failures[0])?.reason;
}
