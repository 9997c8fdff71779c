/**
 * Entry file of the embedded store's thread: opens the database that it was started with and performs what the other
 * side of its port asks for, until that says "close". It has no environment and opens nothing else.
 *
 * @module
 */

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { toHostError } from "../../errors/host-error.ts";
import { SqliteBatches } from "./sqlite-batches.ts";
import { Claims } from "./sqlite-claims.ts";
import { MEMORY_PATH, OPEN_TIMEOUT_MS, openDatabase } from "./sqlite-database.ts";
import { classifySqliteError } from "./sqlite-errors.ts";
import { DatabaseFile } from "./sqlite-file.ts";
import { whileLocked } from "./sqlite-lock.ts";
import type { ThreadData, ThreadReply, ThreadRequest } from "./sqlite-messages.ts";

/** What the thread holds. */
interface OpenDatabase {
  readonly batches: SqliteBatches;
  readonly close: () => void;
}

async function open({ path, maxBytes, claims }: ThreadData): Promise<OpenDatabase> {
  const database = await openDatabase({ path, ...(maxBytes === undefined ? {} : { maxBytes }) });
  try {
    const file = path === MEMORY_PATH ? undefined : new DatabaseFile(path);
    const batches = await whileLocked(OPEN_TIMEOUT_MS, () => new SqliteBatches(database, new Claims(claims), file));
    return { batches, close: () => database.close() };
  } catch (error) {
    database.close();
    throw classifySqliteError(error, "read");
  }
}

function serve(port: MessagePort, { batches, close }: OpenDatabase): void {
  const send = (reply: ThreadReply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer);
  const underWay = new Set<Promise<void>>();

  const perform = async (request: Exclude<ThreadRequest, { kind: "close" }>): Promise<void> => {
    if (request.kind !== "ping") return batches.perform(request, send);
    const flaw = await batches.flaw(request.timeoutMs);
    send({ kind: "pong", id: request.id, reason: flaw?.message });
  };

  const end = async (): Promise<void> => {
    await Promise.all(underWay);
    close();
    port.close();
  };

  port.on("message", (request: ThreadRequest) => {
    // A rejection is a bug of ours: it ends the thread, and the other side tells all waiters.
    if (request.kind === "close") return void end();
    const work = perform(request).finally(() => underWay.delete(work));
    underWay.add(work);
  });
  send({ kind: "opened" });
}

if (parentPort !== null) {
  try {
    serve(parentPort, await open(workerData as ThreadData));
  } catch (error) {
    const { code, message } = toHostError(error);
    parentPort.postMessage({ kind: "refused", code, message } satisfies ThreadReply, []);
  }
}
