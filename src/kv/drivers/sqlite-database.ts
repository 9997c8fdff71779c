/**
 * Opens the database file of the embedded store: creates it readable by its owner alone, makes sure that it
 * is ours and of a version we know, and sets it up so that several replicas on one machine may share it.
 *
 * Refuses a file that belongs to another application, one with another schema version, and a file system
 * that cannot hold a write-ahead log. Nothing is changed in a file that is refused.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors/host-error.ts";
import { isLocked } from "./sqlite-errors.ts";
import { whileLocked } from "./sqlite-lock.ts";

/** Path of a database that lives in memory and ends with its store. */
export const MEMORY_PATH = ":memory:";

/** Marks the file as ours (`PRAGMA application_id`): the letters "nhkv". */
const APPLICATION_ID = 0x6e686b76;

/** Version of the schema (`PRAGMA user_version`). */
const SCHEMA_VERSION = 1;

/** Replicas that start together take turns to create the schema; each waits this long at most. */
export const OPEN_TIMEOUT_MS = 5_000;

/** After a checkpoint the write-ahead log is cut to this size, so that one burst of large values does not keep the disk. */
const LOG_BYTES = 64 * 1024 * 1024;

/**
 * Keys are BLOBs: compared byte by byte, with NUL and any Unicode. The names beside them follow a grammar of
 * ASCII characters. An ordinary table with an index, since values are far larger than rows without ids may be.
 */
const SCHEMA = `
  CREATE TABLE entry (
    kind TEXT NOT NULL CHECK (kind IN ('private', 'shared')),
    namespace TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, namespace, bucket, key)
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

export interface DatabaseOptions {
  /** A file's path, or `:memory:`. */
  readonly path: string;
  /** The database grows no larger; beyond it writes fail with `store-unavailable`. No bound by default. */
  readonly maxBytes?: number;
}

/**
 * Opens the database, creating it where there is none.
 *
 * @throws HostError `usage-invalid` if the path cannot be used, `store-unavailable` if the file stays locked.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DatabaseSync> {
  // An absolute path, because SQLite reads one that begins with "file:" as a URI with options.
  const path = options.path === MEMORY_PATH ? MEMORY_PATH : resolve(options.path);
  if (path !== MEMORY_PATH) createFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    const opened = database;
    await whileLocked(OPEN_TIMEOUT_MS, () => prepareDatabase(opened, path, options.maxBytes));
    return opened;
  } catch (error) {
    database?.close();
    throw openError(error, path);
  }
}

/** SQLite gives its log and its shared memory the permissions of the database file. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw openError(error, path);
  }
}

function openError(error: unknown, path: string): HostError {
  if (error instanceof HostError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (isLocked(error)) {
    return new HostError("store-unavailable", `the database ${path} is locked by another process: ${detail}`, {
      cause: error,
    });
  }
  return new HostError(
    "usage-invalid",
    `the database ${path} cannot be opened: ${detail}; name a file that this user may read and write, in a folder that exists`,
    { cause: error },
  );
}

/** May be run again from the start when it met a lock. */
function prepareDatabase(database: DatabaseSync, path: string, maxBytes: number | undefined): void {
  database.exec("PRAGMA trusted_schema = OFF");
  // Looked at before anything is written: another application's file stays as it is.
  requireOurs(database, path);
  const journal = readPragma(database, "journal_mode = WAL");
  if (path !== MEMORY_PATH && journal !== "wal") {
    throw new HostError(
      "usage-invalid",
      `the file system of ${path} cannot hold SQLite's write-ahead log; choose a local disk`,
    );
  }
  // With a write-ahead log NORMAL keeps every acknowledged write if the process dies, and a consistent file
  // if the machine does; FULL would wait for a disk flush at every write.
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${LOG_BYTES}`);
  if (maxBytes !== undefined) {
    const pageBytes = Number(readPragma(database, "page_size"));
    readPragma(database, `max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
  }
  createSchema(database, path);
}

function createSchema(database: DatabaseSync, path: string): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another replica may have created it since.
    if (requireOurs(database, path) === "empty") database.exec(SCHEMA);
    database.exec("COMMIT");
  } catch (error) {
    // SQLite ends a transaction by itself on some errors.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function requireOurs(database: DatabaseSync, path: string): "empty" | "ours" {
  const application = readPragma(database, "application_id");
  const version = readPragma(database, "user_version");
  if (application === APPLICATION_ID && version === SCHEMA_VERSION) return "ours";
  if (application === APPLICATION_ID) {
    throw new HostError(
      "usage-invalid",
      `the database ${path} has schema version ${String(version)}, and this version of network-host knows ${SCHEMA_VERSION} only; ` +
        "use the version that wrote it, or name another file",
    );
  }
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.["count"];
  if (application === 0 && version === 0 && tables === 0) return "empty";
  throw new HostError("usage-invalid", `the database ${path} belongs to another application; name another file`);
}

/** Runs a pragma and gives the one value it answers with. */
function readPragma(database: DatabaseSync, pragma: string): unknown {
  const row = database.prepare(`PRAGMA ${pragma}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
