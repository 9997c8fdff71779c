/**
 * Launched servers and how to tell that one is ready: by what it says on its port, not by its log.
 *
 * @module
 */

import { until } from "../../scripts/lib/until.ts";

/** A launched server, not necessarily ready: what the two ways of launching one have in common. */
export interface Launched {
  readonly host: string;
  readonly port: number;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** SIGKILL; settles when it is gone. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, with the same data on the same port. */
  start(): Promise<void>;
  /** Replaces one of its files and has it read anew (SIGHUP). */
  reload(file: string, text: string): Promise<void>;
  /** Why it has ended by itself, if it has. */
  failure(): string | undefined;
  remove(): Promise<void>;
}

/** How long a server may take to come up, an image being there already. */
export const READY_TIMEOUT_MS = 150_000;

export function natsUrlOf({ host, port }: Pick<Launched, "host" | "port">): string {
  return `nats://${host}:${port}`;
}

/** With `directConnection`: a member's own name for itself need not be reachable from here. */
export function mongodbUrlOf({ host, port }: Pick<Launched, "host" | "port">): string {
  return `mongodb://${host}:${port}/?directConnection=true&replicaSet=rs0`;
}

/** Waits until a launched server answers; removes it when it does not come up. */
export async function readied(launched: Launched, answers: () => Promise<boolean>, what: string): Promise<void> {
  try {
    await until(
      async () => {
        const failure = launched.failure();
        if (failure !== undefined) throw new Error(failure);
        return answers();
      },
      { what, timeoutMs: READY_TIMEOUT_MS },
    );
  } catch (error) {
    await launched.remove();
    throw error;
  }
}
