/**
 * Derives the outcome of each value of a command from the server's reply. Pure.
 *
 * Invariant: a value counts as written only where the server acknowledged the whole command and its count of
 * statements leaves none open; a statement that it does not account for is "perhaps written".
 *
 * @module
 */

import type { Document } from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import type { ReadEntry, WriteEntry } from "../batch-driver.ts";
import type { FindReply, FoundDocument } from "./mongodb-commands.ts";
import { classifyStatement, DUPLICATE_KEY } from "./mongodb-errors.ts";

/** Settles what was found, and what is known not to be there. Returns the others. */
export function settleFound(entries: readonly ReadEntry[], { documents, extent }: FindReply): readonly ReadEntry[] {
  const missing = new Map(entries.map((entry) => [entry.id, entry]));
  for (const document of documents) {
    const id = entries.length === 1 ? entries[0]?.id : document._id;
    const entry = missing.get(String(id));
    if (entry === undefined) continue;
    missing.delete(entry.id);
    settleDocument(entry, document);
  }
  if (extent === "part" && missing.size < entries.length) return [...missing.values()];
  for (const entry of missing.values()) {
    if (extent === "all") entry.succeed(undefined);
    else entry.fail(new HostError("store-unavailable", "MongoDB's answer to a read has no documents"));
  }
  return [];
}

function settleDocument(entry: ReadEntry, { value }: FoundDocument): void {
  if (value instanceof Uint8Array) entry.succeed(value);
  else entry.fail(new HostError("store-unavailable", "a document's value is not binary data"));
}

/**
 * Settles each statement by what the server says of it. Returns those that lost a race of upserts.
 *
 * @param flaw why the command as a whole is not acknowledged, if it is not
 */
export function settleWritten(sent: readonly WriteEntry[], reply: Document, flaw?: string): readonly WriteEntry[] {
  const failed = failedStatements(reply);
  const isComplete = Number(reply["n"]) + failed.size === sent.length;
  const lost: WriteEntry[] = [];
  for (const [index, entry] of sent.entries()) {
    if (failed.get(index) === DUPLICATE_KEY) lost.push(entry);
    else if (failed.has(index)) failStatement(entry, failed.get(index));
    else if (flaw === undefined && isComplete) entry.succeed();
    else
      entry.fail(new HostError("store-outcome-unknown", `MongoDB write failed: ${flaw ?? "it is not accounted for"}`));
  }
  return lost;
}

/** Index → code of the server's errors about single statements. */
function failedStatements(reply: Document): ReadonlyMap<number, unknown> {
  const errors: unknown = reply["writeErrors"];
  if (!Array.isArray(errors)) return new Map();
  return new Map(errors.map((error: Document) => [Number(error["index"]), error["code"]]));
}

/** Settles a write whose statement the server answered with an error. */
export function failStatement(entry: WriteEntry, code: unknown): void {
  entry.fail(classifyStatement(code, { operation: "write", sends: entry.sends }));
}
