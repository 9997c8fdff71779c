import type { BucketName } from "../../../src/contract/names.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";

/** Where a key of one plugin's only bucket is. */
export function at(key: string): KeyAddress {
  return { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key };
}

/** The code of what the operation failed with, or `done`. */
export function codeOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => "done",
    (error: { code: string }) => error.code,
  );
}
