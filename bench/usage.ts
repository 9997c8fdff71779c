/**
 * What `npm run bench -- --help` shows.
 *
 * @module
 */

import { ENGINE_CHOICES } from "../src/contract/artifact.ts";
import { CONTENDER_NAMES, QUICK_CONTENDERS } from "./contenders/catalogue.ts";
import { ATTACK_NAMES } from "./fairness/attacks.ts";
import { SOAK_REQUESTS } from "./flags.ts";
import { CURVE_NAMES } from "./growth/curves.ts";
import { BASIC_JOBS, CONCURRENCIES, JOB_NAMES } from "./jobs.ts";
import { minRoundsOf, timingOf } from "./timings.ts";

const FULL = timingOf("full", false);
const QUICK = timingOf("quick", true);

export const USAGE = `usage: npm run bench -- [options]

Measures this host beside responders written by hand and other hosts of plugins, in interleaved rounds on real servers.

What is measured, one of (none: everything, more than an hour):
  --quick                 echo and kv, beside the hand-written Node responder alone: less than five minutes
  --guard                 shorter still; fails when the host has fallen behind bench/recorded-ratios.json
  --against <file>        echo and kv beside another build of the host, whose main.js this is; fails when it is slower
  --fairness              good plugins beside a hostile one: latency at a fixed rate, quiet and under attack
  --scaling               a plugin that computes, with one process and with two
  --growth                curves over concurrency, payload, plugins, memory and replicas, and whether one has a cliff
  --soak [n]              memory over so many requests (default ${SOAK_REQUESTS.toLocaleString("en")}), and whether it is flat
  --swap                  latency at a fixed rate while components are replaced, beside the one without
--quick beside --fairness, --scaling, --growth or --swap: fewer and shorter measurements

  --record                with --guard: writes that file
  --attacks <a,b>         with --fairness: of ${ATTACK_NAMES.join(", ")} (default all)
  --curves <a,b>          with --growth: of ${CURVE_NAMES.join(", ")} (default all)
  --jobs <a,b>            of ${JOB_NAMES.join(", ")}
                          (default all; quick: ${BASIC_JOBS.join(", ")})
  --contenders <a,b>      of ${CONTENDER_NAMES.join(", ")}
                          (default all; quick: ${QUICK_CONTENDERS.join(", ")})
  --engine <engine>       of the host: ${ENGINE_CHOICES.join(", ")} (default auto)
  --concurrency <a,b>     requests in flight (default ${CONCURRENCIES.join(",")}; some jobs fewer)
  --rates <a,b>           fixed rates, in percent of the Node responder's throughput (default 25,50,75; quick: none)
  --rounds <n>            rounds, at least ${minRoundsOf("full")} (default ${FULL.rounds})
  --measure-ms <ms>       time of each measurement (default ${FULL.measureMs}, quick ${QUICK.measureMs})
  --store <kind>          mongodb (default: a replica set of one), mongodb-standalone or sqlite
  --generator <kind>      auto (default), go or node
  --host <file>           measure this main.js instead of the one built from src/
  --publish               write the charts into docs/, too
  --help`;
