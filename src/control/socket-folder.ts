/**
 * The folder of control sockets: private to its user, with one socket for each replica, named by its process id. A replica
 * that was killed leaves its socket behind. The next replica to start removes it, and commands skip it.
 *
 * @module
 */

import { type Stats, lstatSync, unlinkSync } from "node:fs";
import { lstat, mkdir, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { HostError } from "../errors/host-error.ts";

/** Permission bits that open a folder to other users. */
const OTHERS = 0o077;
/** The longest socket address that every system allows, without the zero at its end. */
const MAX_PATH_BYTES = 103;
/** The longest name that a socket in the folder can have. */
const LONGEST_NAME = "4194304.sock";
/** A younger socket that refuses connections may belong to a replica that does not listen on it yet. */
const YOUNG_MS = 10_000;

const SOCKET_NAME = /^(\d{1,10})\.sock$/;

/** A socket in the folder, of a live replica or of one that is gone. */
export interface FoundSocket {
  readonly pid: number;
  readonly path: string;
}

/**
 * The default folder of a user's sockets. A service and a login of that user must find the same one, so it depends on no
 * variable: `XDG_RUNTIME_DIR` is set in a login but not in a service, and its folder is removed at logout.
 */
export function defaultSocketFolder(): string {
  return `/tmp/network-host-${process.geteuid?.() ?? 0}`;
}

/** The socket of the process `pid`. */
export function socketPath(folder: string, pid: number): string {
  return join(folder, `${pid}.sock`);
}

/** Makes the folder where it is missing; its parent must exist. Throws `usage-invalid` for a folder that cannot be used. */
export async function makeSocketFolder(folder: string): Promise<void> {
  const bytes = Buffer.byteLength(join(folder, LONGEST_NAME));
  if (bytes > MAX_PATH_BYTES) {
    throw flawed(folder, `is too long: the address of a socket in it has ${bytes} bytes, of at most ${MAX_PATH_BYTES}`);
  }
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasCode(error, "EEXIST"))
      throw flawed(folder, `cannot be made (${error instanceof Error ? error.message : String(error)})`, error);
  }
  await expectPrivateFolder(folder);
}

/**
 * Throws `usage-invalid` for a folder that is open to other users: they could answer in a replica's name, or take its
 * place. Does nothing where the folder does not exist.
 */
export async function expectPrivateFolder(folder: string): Promise<void> {
  const found = await statOf(folder);
  if (found === undefined) return;
  if (!found.isDirectory()) throw flawed(folder, "is not a folder");
  const self = process.geteuid?.();
  if (self === undefined) return;
  // Root may use the folders of other users, to manage their replicas.
  if (found.uid !== self && self !== 0) throw flawed(folder, "belongs to another user");
  if ((found.mode & OTHERS) !== 0) throw flawed(folder, "is open to other users (chmod 700 makes it private)");
}

/** Every socket in the folder, sorted by process id, also those of replicas that are gone. Empty where it does not exist. */
export async function listSockets(folder: string): Promise<readonly FoundSocket[]> {
  await expectPrivateFolder(folder);
  return (await namesIn(folder))
    .flatMap((name) => {
      const [, pid] = SOCKET_NAME.exec(name) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), path: join(folder, name) }];
    })
    .sort((one, other) => one.pid - other.pid);
}

/** Removes the sockets that no process listens on any more. */
export async function removeDeadSockets(folder: string): Promise<void> {
  await Promise.all((await listSockets(folder)).map(({ path }) => removeDeadSocket(path)));
}

/** Removes a socket that no process listens on, but not one that another replica makes at its path meanwhile. */
async function removeDeadSocket(path: string): Promise<void> {
  const before = await statOf(path);
  if (before === undefined || !before.isSocket() || Date.now() - before.mtimeMs < YOUNG_MS) return;
  if (await isListenedOn(path)) return;
  try {
    if (lstatSync(path).ino === before.ino) unlinkSync(path);
  } catch (error) {
    // Gone already, or cannot be removed. It misleads no command, because no process answers there.
    if (!hasCode(error, "ENOENT", "EACCES", "EPERM", "EROFS")) throw error;
  }
}

/** Does a process take connections there? True in doubt. */
export async function isListenedOn(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", (error) => resolve(!hasCode(error, "ECONNREFUSED", "ENOENT")));
  const isListening = await promise;
  socket.on("error", () => undefined);
  socket.destroy();
  return isListening;
}

/** The file's metadata, or `undefined` where the file does not exist. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw flawed(path, `cannot be looked at (${error instanceof Error ? error.message : String(error)})`, error);
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw flawed(folder, `cannot be listed (${error instanceof Error ? error.message : String(error)})`, error);
  }
}

/** Is it a system error with one of these codes? */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function flawed(folder: string, flaw: string, cause?: unknown): HostError {
  return new HostError("usage-invalid", `the control folder ${folder} ${flaw}: name another by --control`, { cause });
}
