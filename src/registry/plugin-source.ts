/**
 * Reads a plugin's component, from a file. The bytes are read whole; their digest names the component from then on.
 *
 * @module
 */

import { constants, open } from "node:fs/promises";
import { HostError } from "../errors/host-error.ts";
import { hasCode } from "./system-errors.ts";

/**
 * Reads a component's file, at most `maxBytes`. Throws `component-unreadable` if it cannot be read and
 * `component-rejected` if it is larger.
 */
export async function readComponentFile(path: string, maxBytes: number): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const info = await file.stat();
    if (!info.isFile()) throw new HostError("component-unreadable", `${path}: the component is not a regular file`);
    const { size } = info;
    if (size > maxBytes) {
      throw new HostError(
        "component-rejected",
        `${path}: the component has ${size} bytes, at most ${maxBytes} are allowed; strip debug information from it, ` +
          "build it for size, or set replica.componentBytes in the consumer file",
      );
    }
    return await readAtMost(file, size);
  } catch (error) {
    if (error instanceof HostError) throw error;
    const why = whyUnreadable(error);
    throw new HostError("component-unreadable", `${path}: the component cannot be read: ${why}`, { cause: error });
  }
}

/** Most often there is no file because nobody has built it yet. */
function whyUnreadable(error: unknown): string {
  if (hasCode(error, "ENOENT")) return "there is no such file; build it, or correct the path";
  return error instanceof Error ? error.message : String(error);
}

/** The file may grow while it is read: reads no more than its size at the start. */
async function readAtMost(file: Awaited<ReturnType<typeof open>>, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(buffer, at, bytes - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}
