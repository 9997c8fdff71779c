/**
 * Launched servers and how to tell that one is ready: by what it says on its port, not by its log.
 *
 * @module
 */

import { type Db, MongoClient } from "mongodb";
import { until } from "./until.ts";

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

/** The flags with which a mongod of the tests runs as a process. */
export function mongodArgs({ port, folder }: { readonly port: number; readonly folder: string }): readonly string[] {
  return ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder, "--nounixsocket", "--quiet"];
}

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

/**
 * Makes a mongod a replica set of one if it is not one yet.
 *
 * @param memberHost the host and port at which the server finds itself
 * @returns whether it accepts majority writes by now
 */
export function mongodIsPrimary(launched: Pick<Launched, "host" | "port">, memberHost: string): Promise<boolean> {
  return askMongod(launched, async (admin) => {
    const hello = await admin.command({ hello: 1 });
    if (hello["setName"] === undefined) {
      await admin.command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: memberHost }] } });
    }
    return hello["isWritablePrimary"] === true;
  });
}

/** Does a mongod that is not a replica set accept writes? */
export function mongodAnswers(launched: Pick<Launched, "host" | "port">): Promise<boolean> {
  return askMongod(launched, async (admin) => (await admin.command({ hello: 1 }))["isWritablePrimary"] === true);
}

async function askMongod(
  { host, port }: Pick<Launched, "host" | "port">,
  ask: (admin: Db) => Promise<boolean>,
): Promise<boolean> {
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 5_000,
  });
  try {
    return await ask(client.db("admin"));
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
