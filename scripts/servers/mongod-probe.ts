/**
 * How a mongod of this project is started as a process, and how to tell that it takes writes: by what it answers, not by
 * its log.
 *
 * @module
 */

import { type Db, MongoClient } from "mongodb";

/** Where a server listens. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/** The flags of a mongod that listens on loopback and keeps its data in a folder. */
export function mongodArgs({ port, folder }: { readonly port: number; readonly folder: string }): readonly string[] {
  return ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder, "--nounixsocket", "--quiet"];
}

/**
 * Makes a mongod a replica set of one, unless it belongs to a set already.
 *
 * @param memberHost the host and port at which the server finds itself
 * @returns whether it accepts majority writes by now
 */
export function mongodIsPrimary(address: Address, memberHost: string): Promise<boolean> {
  return askMongod(address, async (admin) => {
    const hello = await admin.command({ hello: 1 });
    if (hello["setName"] === undefined) {
      await admin.command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: memberHost }] } });
    }
    return hello["isWritablePrimary"] === true;
  });
}

/** Does a mongod without a replica set accept writes? */
export function mongodAnswers(address: Address): Promise<boolean> {
  return askMongod(address, async (admin) => (await admin.command({ hello: 1 }))["isWritablePrimary"] === true);
}

async function askMongod({ host, port }: Address, ask: (admin: Db) => Promise<boolean>): Promise<boolean> {
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 5_000,
  });
  try {
    return await ask(client.db("admin"));
  } catch {
    // It does not listen yet, or does not accept the command yet.
    return false;
  } finally {
    await client.close();
  }
}
