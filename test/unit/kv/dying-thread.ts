/**
 * Stands for the thread of the embedded store, and ends when it is given a batch of writes: it begins the entry whose
 * key is "begun", and no other. A batch of reads with the key "stops" ends it without an error.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { Claims } from "../../../src/kv/drivers/sqlite-claims.ts";
import type { ThreadData, ThreadReply, ThreadRequest } from "../../../src/kv/drivers/sqlite-messages.ts";

const claims = new Claims((workerData as ThreadData).claims);

parentPort?.on("message", (request: ThreadRequest) => {
  if (request.kind === "read" && request.names.includes("stops")) process.exit(0);
  if (request.kind !== "write") return;
  const keys = request.names.filter((_, index) => index % 4 === 3);
  keys.forEach((key, at) => {
    if (key === "begun") claims.begin("write", at);
  });
  throw new Error("the disk is on fire");
});
parentPort?.postMessage({ kind: "opened" } satisfies ThreadReply, []);
