/**
 * The runner's program: a child process that the host starts with a `RunnerConfig` as its one argument.
 *
 * @module
 */

import process from "node:process";
import { startRunner } from "./runner.ts";

startRunner(process.argv[2]);
