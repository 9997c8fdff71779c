/**
 * The server of the released crates as a process of the run, and the program that calls it and the host: one for each
 * transport, since the last crates of one do not fit those of the other.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, run } from "../../scripts/lib/command.ts";
import { BenchError } from "../bench-error.ts";
import { buildCargoProgram } from "../processes/built-program.ts";
import { type RunningChild, startChild } from "../processes/child-process.ts";

export const TRANSPORTS = ["tcp", "nats"] as const;

export type Transport = (typeof TRANSPORTS)[number];

/** `bindings`: the crates' client. `bytes`: sockets and messages alone, so that the caller costs little. */
export const CALLERS = ["bytes", "bindings"] as const;

export type CallerKind = (typeof CALLERS)[number];

/** What the program prints of a run. */
export interface CallFigures {
  /** Those that began and ended while it was measured. */
  readonly requests: number;
  /** Those of the warm-up, too. */
  readonly totalRequests: number;
  /** Those that their caller gave up after five seconds: the crates' client over NATS loses an answer now and then. */
  readonly lost: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of one core that it used itself. */
  readonly generatorLoad: number;
}

/** How to call. */
export interface CallPlan {
  /** `host:port` over TCP, a prefix over NATS. */
  readonly address: string;
  readonly caller: CallerKind;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Peer {
  /** Starts the crates' server at an address. */
  serve(address: string, folder: string): Promise<RunningChild>;
  /** @throws {@link BenchError} where a call failed or its answer was another one. */
  call(plan: CallPlan): Promise<CallFigures>;
}

const FOLDER = fileURLToPath(new URL("../peers/wrpc/", import.meta.url));
/** The contract, which its bindings are made of, and what both programs share. */
const SHARED = ["../*.rs", "../../../../wit/*.wit"];
const RUN_TIMEOUT_MS = 180_000;

/** @throws {@link BenchError} where it cannot be built. */
export async function openPeer(transport: Transport, natsUrl: string, report: (line: string) => void): Promise<Peer> {
  const name = `bench-wrpc-${transport}`;
  const built = await buildCargoProgram(name, join(FOLDER, transport), SHARED, report);
  if (built.kind === "impossible") throw new BenchError(`${name} cannot be built: ${built.reason}`);
  const env = { NATS_URL: natsUrl };
  return {
    serve: (address, folder) =>
      startChild({
        name,
        command: built.path,
        args: ["serve", address],
        env,
        folder,
        answers: async () => /^ready$/m.test(await readFile(join(folder, `${name}.log`), "utf8")),
      }),
    async call({ address, caller, inFlight, warmUpMs, measureMs }) {
      const args = ["load", address, caller, ...[inFlight, warmUpMs, measureMs].map(String)];
      const output = await run(built.path, args, { timeoutMs: RUN_TIMEOUT_MS, env }).catch((error: unknown) => {
        throw error instanceof CommandError ? new BenchError(error.message, { cause: error }) : error;
      });
      return JSON.parse(output) as CallFigures;
    },
  };
}
