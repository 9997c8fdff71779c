/**
 * A replica in little: opens the store and writes, reporting each acknowledged write to its parent.
 * Arguments: the file, this writer's number, how many writes.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import { openSqliteStore } from "../../../src/kv/drivers/sqlite.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";

const [path = "", writer = "", writes = ""] = process.argv.slice(2);
const options = { timeoutMs: FIXED_LIMITS.storeOperationMs };

function at(key: string): KeyAddress {
  return { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key };
}

await using store = await openSqliteStore({ path });
for (let write = 0; write < Number(writes); write++) {
  await store.set(at("contended"), new Uint8Array(100_000).fill(write), options);
  await store.set(at(`${writer}/${write}`), new Uint8Array(1_000).fill(write), options);
  process.send?.(write);
}
process.disconnect?.();
