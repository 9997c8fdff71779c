/**
 * The folder of control sockets: private to its user, with one socket for each replica, named by its process id. A replica
 * that was killed leaves its socket behind; the next one to start removes it, and whoever asks passes it by.
 *
 * @module
 */

import { type Stats, lstatSync, unlinkSync } from "node:fs";
import { lstat, mkdir, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { HostError } from "../errors/host-error.ts";

/** Permission bits of a folder that let others in. */
const OTHERS = 0o077;
/** What the address of a socket may have on every system, without the zero at its end. */
const MAX_PATH_BYTES = 103;
/** As long as a name in the folder can be. */
const LONGEST_NAME = "4194304.sock";
/** One that refuses connections may have been made a moment ago and not be listened on yet. */
const YOUNG_MS = 10_000;

const SOCKET_NAME = /^(\d{1,10})\.sock$/;

/** A socket in the folder, whoever made it. */
export interface FoundSocket {
  readonly pid: number;
  readonly path: string;
}

/**
 * Where a user's sockets are unless told otherwise. The same for a service and a login of that user, so it is taken from no
 * variable: `XDG_RUNTIME_DIR` is there in the one and not in the other, and ends with the login.
 */
export function defaultSocketFolder(): string {
  return `/tmp/network-host-${process.geteuid?.() ?? 0}`;
}

/** The socket of the process `pid`. */
export function socketPath(folder: string, pid: number): string {
  return join(folder, `${pid}.sock`);
}

/** Makes the folder where it is missing; the one above it must be there. Throws `usage-invalid` for one that cannot be used. */
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
 * Whoever else can write to the folder could answer in a replica's name, or take its place. Throws `usage-invalid`. Does
 * nothing where there is no such folder.
 */
export async function expectPrivateFolder(folder: string): Promise<void> {
  const found = await statOf(folder);
  if (found === undefined) return;
  if (!found.isDirectory()) throw flawed(folder, "is not a folder");
  const self = process.geteuid?.();
  if (self === undefined) return;
  // Root may look after the replicas of others.
  if (found.uid !== self && self !== 0) throw flawed(folder, "belongs to another user");
  if ((found.mode & OTHERS) !== 0) throw flawed(folder, "is open to other users (chmod 700 makes it private)");
}

/** Every socket in the folder, by process id; those of replicas that are gone as well. None where there is no folder. */
export async function listSockets(folder: string): Promise<readonly FoundSocket[]> {
  await expectPrivateFolder(folder);
  return (await namesIn(folder))
    .flatMap((name) => {
      const [, pid] = SOCKET_NAME.exec(name) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), path: join(folder, name) }];
    })
    .sort((one, other) => one.pid - other.pid);
}

/** Removes the sockets that nobody listens on any more. */
export async function removeDeadSockets(folder: string): Promise<void> {
  await Promise.all((await listSockets(folder)).map(({ path }) => removeDeadSocket(path)));
}

/** One that another replica makes while this one looks stays. */
async function removeDeadSocket(path: string): Promise<void> {
  const before = await statOf(path);
  if (before === undefined || !before.isSocket() || Date.now() - before.mtimeMs < YOUNG_MS) return;
  if (await isListenedOn(path)) return;
  try {
    if (lstatSync(path).ino === before.ino) unlinkSync(path);
  } catch (error) {
    // Gone already, or not to be removed: nobody is misled by it, since nobody answers there.
    if (!hasCode(error, "ENOENT", "EACCES", "EPERM", "EROFS")) throw error;
  }
}

/** Does a process take connections there? In doubt, yes. */
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

/** What the system knows of the file, if it is there. */
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

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function flawed(folder: string, flaw: string, cause?: unknown): HostError {
  return new HostError("usage-invalid", `the control folder ${folder} ${flaw}: name another by --control`, { cause });
}
