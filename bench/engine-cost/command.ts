/**
 * `engine-cost`: what do instances and calls cost in the engines alone?
 *
 * @module
 */

import { Argument, Command, Option } from "commander";
import { ENGINE_CHOICES, type EngineChoice } from "../../src/contract/artifact.ts";
import type { Start } from "../setup/setup-plan.ts";

/** The engines alone, on one component. */
export interface EngineCostPlan {
  /** Its file. */
  readonly component: string;
  /** What each call asks for. */
  readonly method: string;
  readonly engines: readonly EngineChoice[];
}

interface EngineCostFlags {
  readonly engine?: EngineChoice;
}

const METHOD = "echo";
const ENGINES: readonly EngineChoice[] = ["jco", "linker"];

export function createEngineCostCommand(start: Start<EngineCostPlan>): Command {
  return new Command("engine-cost")
    .summary("measure instances and calls in the engines alone")
    .description(
      "Compiles a component and measures what instantiating, calling and restoring it cost in the runner's engines alone: without a process boundary, NATS or a store. Takes less than a minute.",
    )
    .argument("<component>", "its file, as in examples/echo-c/echo.wasm")
    .addArgument(new Argument("[method]", "method that is called").default(METHOD))
    .addOption(
      new Option("--engine <engine>", `engine to measure (default: ${ENGINES.join(", then ")})`).choices(
        ENGINE_CHOICES,
      ),
    )
    .action((component: string, method: string, { engine }: EngineCostFlags) =>
      start({ component, method, engines: engine === undefined ? ENGINES : [engine] }),
    );
}
