/**
 * Resolves names by DNS alone, without a thread of Node's pool: a plugin that asks for slow names must not occupy the few threads
 * with which the rest of the host opens files. So `/etc/hosts` and search domains are ignored, and a name is always the full
 * name.
 *
 * Both families are asked for at once. The one that answers first gives the other a little time and no more: a name
 * server that never answers one kind of question must not make a name unreachable.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8305#section-3
 * @module
 */

import { Resolver } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";

/** What is known of a name. */
export interface FoundAddresses {
  /** At least one. */
  readonly addresses: readonly string[];
  /** What was not known in time, if anything comes of it; never rejects. */
  readonly late: Promise<readonly string[]>;
}

/**
 * Finds the addresses of a name. Rejects with an error that has a `code`, as Node's resolvers do. Stops looking when the
 * signal aborts.
 */
export type Resolve = (name: string, signal: AbortSignal) => Promise<FoundAddresses>;

export interface ResolverOptions {
  /** Name servers, as `address` or `address:port`, in place of the machine's. */
  readonly servers?: readonly string[];
  /** What passes the time until the other family is late; tests have their own. Rejects when the signal aborts. */
  readonly pause?: Pause;
}

type Pause = (ms: number, signal: AbortSignal) => Promise<unknown>;

const ATTEMPT_TIMEOUT_MS = 1_500;
const ATTEMPTS = 2;

/** RFC 8305's Resolution Delay. */
const OTHER_FAMILY_MS = 50;

/** A resolver that asks the machine's name servers, as they are set at that moment. */
export function createResolver({ servers, pause = pauseFor }: ResolverOptions = {}): Resolve {
  return async (name, signal) => {
    const resolver = new Resolver({ timeout: ATTEMPT_TIMEOUT_MS, tries: ATTEMPTS });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    const families = [resolver.resolve4(name), resolver.resolve6(name)] as const;
    void Promise.allSettled(families).then(() => signal.removeEventListener("abort", cancel));
    return await firstAnswers(families, pause);
  };
}

type Family = Promise<readonly string[]>;

function pauseFor(ms: number, signal: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, { signal });
}

async function firstAnswers([four, six]: readonly [Family, Family], pause: Pause): Promise<FoundAddresses> {
  try {
    await Promise.any([four, six]);
  } catch (error) {
    throw worse((error as AggregateError).errors);
  }
  const [known4, known6] = await Promise.all([knownInTime(four, pause), knownInTime(six, pause)]);
  const missing = [...(known4 === undefined ? [four] : []), ...(known6 === undefined ? [six] : [])];
  return { addresses: [...(known4 ?? []), ...(known6 ?? [])], late: allFound(missing) };
}

async function allFound(families: readonly Family[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(families);
  return settled.flatMap((family) => (family.status === "fulfilled" ? family.value : []));
}

/** A family's answer, none if it failed; `undefined` where it is not there in time. */
async function knownInTime(family: Family, pause: Pause): Promise<readonly string[] | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      family.catch(() => []),
      pause(OTHER_FAMILY_MS, timer.signal).then(
        () => undefined,
        () => undefined,
      ),
    ]);
  } finally {
    timer.abort();
  }
}

/** A server's failure says more than the absence of one kind of records. */
function worse(failures: readonly unknown[]): unknown {
  const telling = failures.find((failure) => (failure as { code?: unknown }).code !== "ENODATA");
  return telling ?? failures[0];
}
