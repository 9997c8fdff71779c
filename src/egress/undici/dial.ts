/**
 * Opens a TCP connection to one of a host's addresses: a new attempt begins when the one before it has failed or has
 * taken a moment, and the first that succeeds is the connection. Attempts that are slow go on beside those that follow.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8305#section-5
 * @module
 */

import { connect, isIPv6, type Socket } from "node:net";
import { FIXED_LIMITS } from "../../contract/limits.ts";

export interface DialOptions {
  readonly port: number;
  /** At least one. */
  readonly addresses: readonly string[];
  /** Further addresses, as soon as they are known; never rejects. */
  readonly late: Promise<readonly string[]>;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
}

/** RFC 8305's Connection Attempt Delay. */
const ATTEMPT_MS = 250;

/** Errors that say of an address only that this machine has no way to it. */
const NO_WAY: ReadonlySet<unknown> = new Set(["ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"]);

/** The first connection that stands. Rejects with the error of an attempt, or with the signal's reason. */
export async function dial(options: DialOptions): Promise<Socket> {
  const dialling = new Dialling(options);
  try {
    return await dialling.connected;
  } finally {
    dialling.close();
  }
}

class Dialling {
  readonly #options: DialOptions;
  readonly #connected = Promise.withResolvers<Socket>();
  readonly #attempts = new Set<Socket>();
  readonly #errors: Error[] = [];
  #waiting: string[];
  #late: "awaited" | "here" = "awaited";
  /** Addresses that may still be tried. */
  #triesLeft = FIXED_LIMITS.httpAddresses;
  #timer: NodeJS.Timeout | undefined;
  #state: "open" | "over" = "open";

  constructor(options: DialOptions) {
    this.#options = options;
    this.#waiting = alternating(options.addresses);
    options.signal.addEventListener("abort", this.#abort, { once: true });
    void options.late.then((addresses) => {
      this.#late = "here";
      this.#waiting.push(...alternating(addresses));
      // Where all that was known has failed, this is what is left.
      if (this.#attempts.size === 0) this.#next();
    });
    if (options.signal.aborted) this.#abort();
    else this.#next();
  }

  get connected(): Promise<Socket> {
    return this.#connected.promise;
  }

  /** Gives up what is still in flight. Idempotent. */
  close(): void {
    this.#state = "over";
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#abort);
    for (const socket of this.#attempts) socket.destroy();
    this.#attempts.clear();
  }

  readonly #abort = (): void => this.#connected.reject(this.#options.signal.reason);

  /** Begins the next attempt, if there is an address; fails where nothing is left that could succeed. */
  #next(): void {
    clearTimeout(this.#timer);
    if (this.#state === "over") return;
    const address = this.#triesLeft > 0 ? this.#waiting.shift() : undefined;
    if (address !== undefined) {
      this.#triesLeft -= 1;
      this.#attempt(address);
      this.#timer = setTimeout(() => this.#next(), ATTEMPT_MS);
    } else if (this.#attempts.size > 0) {
      // Those that come late are looked at as often as attempts begin.
      if (this.#late === "awaited") this.#timer = setTimeout(() => this.#next(), ATTEMPT_MS);
    } else if (this.#late === "here" || this.#triesLeft === 0) this.#connected.reject(mostTelling(this.#errors));
  }

  #attempt(address: string): void {
    const socket = connect({ host: address, port: this.#options.port, keepAlive: true, noDelay: true });
    this.#attempts.add(socket);
    const failed = (error: Error): void => {
      this.#attempts.delete(socket);
      this.#errors.push(error);
      this.#next();
    };
    socket.once("error", failed).once("connect", () => {
      this.#attempts.delete(socket);
      socket.off("error", failed);
      if (this.#state === "open") this.#connected.resolve(socket);
      else socket.destroy();
      this.#state = "over";
    });
  }
}

/** One family after the other, as far as both go. */
function alternating(addresses: readonly string[]): string[] {
  const [first, second] = [addresses.filter((one) => !isIPv6(one)), addresses.filter((one) => isIPv6(one))];
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined);
}

/** There is one error at least: as many as there were attempts. */
function mostTelling(errors: readonly Error[]): Error {
  const telling = errors.find((error) => !NO_WAY.has((error as { code?: unknown }).code));
  return telling ?? (errors[0] as Error);
}
