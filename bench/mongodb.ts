/**
 * What the benchmark itself asks of a mongod.
 *
 * @module
 */

import { MongoClient } from "mongodb";

/** Does it answer? */
export async function mongodAnswers({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<boolean> {
  const client = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 2_000,
  });
  try {
    await client.db("admin").command({ ping: 1 });
    return true;
  } catch {
    // It does not listen yet.
    return false;
  } finally {
    await client.close();
  }
}

/** Deletes every document of the database that the URL names. Collections and indexes stay. */
export async function emptyDatabase(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    for (const collection of await client.db().collections()) await collection.deleteMany({});
  } finally {
    await client.close();
  }
}
