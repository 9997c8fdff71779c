/**
 * The data of a store, for the command line: lists it, exports it as lines of text, imports it from them, and removes it.
 *
 * Memory holds a few values at a time, however many there are. A key is imported whole or not at all.
 *
 * @module
 */

import type { StoreOptions } from "./app-options.ts";
import { openStore } from "./app-store.ts";
import { FIXED_LIMITS } from "./contract/limits.ts";
import { type DataLine, DataLineReader, formatEnd, formatEntry, formatHeader } from "./kv/data-lines.ts";
import { HostError } from "./errors/host-error.ts";
import type { BucketSize, StoreData } from "./kv/data.ts";
import { openMongoData } from "./kv/drivers/mongodb-data.ts";
import { openSqliteData } from "./kv/drivers/sqlite-data.ts";
import type { Namespace } from "./kv/store.ts";

export type { BucketSize, Namespace };

/** How much was exported or imported. */
export interface DataCount {
  readonly keys: number;
  readonly bytes: number;
}

/** The most writes that are in flight to the store at a time. */
const WRITES_UNDER_WAY = 16;
/** While more bytes than this are in flight, the next write waits. */
const BYTES_UNDER_WAY = 32 * 1024 * 1024;

async function openData(options: StoreOptions): Promise<StoreData> {
  return options.kind === "mongodb"
    ? await openMongoData(options.url, options.source)
    : await openSqliteData(options.path);
}

/** The buckets of a namespace, or of all namespaces. */
export async function listData(options: StoreOptions, namespace?: Namespace): Promise<BucketSize[]> {
  await using data = await openData(options);
  return await data.sizes(namespace);
}

/** Writes all values of a namespace as lines. Each `write` begins when the one before has resolved. */
export async function exportData(
  options: StoreOptions,
  namespace: Namespace,
  write: (line: string) => Promise<void>,
): Promise<DataCount> {
  await using data = await openData(options);
  let [keys, bytes] = [0, 0];
  await write(formatHeader(namespace));
  for await (const entry of data.entries(namespace)) {
    await write(formatEntry(entry));
    keys += 1;
    bytes += entry.value.length;
  }
  await write(formatEnd({ keys, bytes }));
  return { keys, bytes };
}

/**
 * Sets all values of an export in a namespace, and overwrites existing ones.
 *
 * @throws HostError `usage-invalid` for input that is not an export, `store-…` for a value that could not be set. The
 * message says how many keys were imported; these stay.
 */
export async function importData(
  options: StoreOptions,
  namespace: Namespace,
  input: AsyncIterable<unknown>,
): Promise<DataCount> {
  await using store = await openStore(options, () => undefined);
  const underWay = new Set<Promise<void>>();
  let [keys, bytes, bytesUnderWay] = [0, 0, 0];
  const failures: unknown[] = [];
  const begin = ({ bucket, key, value }: Extract<DataLine, { kind: "entry" }>): void => {
    bytesUnderWay += value.length;
    const work = store
      // A shared bucket has the same name as its namespace.
      .set(
        { namespace, bucket: namespace.kind === "shared" ? (namespace.name as typeof bucket) : bucket, key },
        value,
        { timeoutMs: FIXED_LIMITS.storeOperationMs },
      )
      .then(
        () => {
          keys += 1;
          bytes += value.length;
        },
        (error: unknown) => void failures.push(error),
      )
      .finally(() => {
        bytesUnderWay -= value.length;
        underWay.delete(work);
      });
    underWay.add(work);
  };
  try {
    for await (const line of new DataLineReader(input)) {
      if (line.kind === "entry") begin(line);
      while (underWay.size >= WRITES_UNDER_WAY || (bytesUnderWay > BYTES_UNDER_WAY && underWay.size > 0))
        await Promise.race(underWay);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(underWay);
  const [failure] = failures;
  if (failure === undefined) return { keys, bytes };
  const said = `${keys} keys were imported and stay`;
  if (failure instanceof HostError)
    throw new HostError(failure.code, `${failure.message}; ${said}`, { cause: failure });
  throw failure;
}

/** Removes all values of a namespace, and returns how many there were. */
export async function deleteData(options: StoreOptions, namespace: Namespace): Promise<number> {
  await using data = await openData(options);
  return await data.remove(namespace);
}
