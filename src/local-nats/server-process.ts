/**
 * A server that does not outlive this process, however it ends: by a signal that it handles, or by one that it cannot.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";

/**
 * The process becomes the server. Before, it leaves a watcher behind that waits for the end of a pipe whose other end only
 * this process holds, and then ends the server. `$$` stays the number of the process that the server becomes.
 */
const SCRIPT = 'exec 3<&0; (read -r _ <&3; kill -TERM $$ 2>&-) & exec 3<&-; exec "$@" </dev/null';

/**
 * Starts a server, in a process group of its own: Ctrl-C is for this program, which ends the server when it has drained. The
 * child is the server itself; a program that cannot be started ends it with exit code 126 or 127.
 */
export function startServer(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  return spawn("/bin/sh", ["-c", SCRIPT, "sh", command, ...args], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env,
  });
}
