/**
 * The runner, with its calls counted.
 *
 * @module
 */

import process from "node:process";
import { startRunner } from "../../../src/runner/runner.ts";
import { countCalls } from "./call-counts.ts";
import { RUNNER_MARK } from "./marks.ts";

countCalls(RUNNER_MARK);
startRunner(process.argv[2]);
