/**
 * Deletes what a job has stored, between two measurements.
 *
 * @module
 */

import { MongoClient } from "mongodb";

/** Deletes every document of the database that the URL names. Collections and indexes stay. */
export async function emptyDatabase(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    for (const collection of await client.db().collections()) await collection.deleteMany({});
  } finally {
    await client.close();
  }
}
