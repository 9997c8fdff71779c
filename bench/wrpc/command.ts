/**
 * `wrpc`: does it cost callers of wRPC anything that a sandboxed plugin answers them?
 *
 * @module
 */

import { Command, Option } from "commander";
import {
  addTimingOptions,
  MIN_ROUNDS,
  type QuickFlags,
  type Timings,
  timingOfForm,
  type Timing,
} from "../options/timing.ts";
import { listOf, oneOf, wholeNumber } from "../options/values.ts";
import type { Start } from "../setup/setup-plan.ts";
import { CALLERS, type CallerKind, TRANSPORTS, type Transport } from "./peer.ts";

/** The host beside the server of the released crates, in turns. */
export interface WrpcPlan extends Timing {
  readonly transports: readonly Transport[];
  readonly caller: CallerKind;
  readonly inFlight: number;
  /** The host's executable if it is not the one of this tree. */
  readonly hostPath: string | undefined;
}

interface WrpcFlags extends QuickFlags {
  readonly transports?: readonly Transport[];
  readonly caller: CallerKind;
  readonly inFlight?: number;
  readonly host?: string;
}

const TIMINGS: Timings = {
  full: { rounds: 9, settleMs: 4_000, warmUpMs: 500, measureMs: 3_000 },
  quick: { rounds: MIN_ROUNDS, settleMs: 2_000, warmUpMs: 300, measureMs: 1_000 },
};
const IN_FLIGHT = 64;
const MAX_IN_FLIGHT = 1_024;

export function createWrpcCommand(start: Start<WrpcPlan>): Command {
  const command = new Command("wrpc")
    .summary("compare calls over wRPC with a server of the released crates")
    .description(
      "Measures echoes of 64 bytes over wRPC: a plugin on the host beside the server of the released Rust crates, whose handler is in Rust and in no sandbox. Needs Rust, which builds both once (minutes). Takes two minutes for each transport, with --quick half a minute.",
    )
    .option("--quick", "fewer and shorter measurements")
    .option("--transports <a,b>", `transports, of ${TRANSPORTS.join(", ")} (default: all)`, listOf(oneOf(TRANSPORTS)))
    .addOption(
      new Option("--caller <kind>", "who calls: the crates' own client by its bindings, or one that writes the bytes")
        .choices(CALLERS)
        .default("bytes"),
    )
    .option("--in-flight <n>", `calls in flight (default: ${IN_FLIGHT})`, wholeNumber(1, MAX_IN_FLIGHT));
  addTimingOptions(command, TIMINGS.full, MIN_ROUNDS);
  return command
    .option("--host <file>", "measure this main.js instead of the one that is built from src/")
    .action((flags: WrpcFlags) =>
      start({
        ...timingOfForm(TIMINGS, flags),
        transports: flags.transports ?? TRANSPORTS,
        caller: flags.caller,
        inFlight: flags.inFlight ?? IN_FLIGHT,
        hostPath: flags.host,
      }),
    );
}
