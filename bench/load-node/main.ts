/**
 * The load generator for machines without Go: the same runs, checks and figures as `../load/`, for more CPU time.
 *
 * @module
 */

import { connect } from "nats";
import type { LoadSpec } from "../jobs/load-spec.ts";
import { runLoop } from "./loop.ts";
import { runSteady } from "./steady.ts";

const spec = JSON.parse(process.argv[2] ?? "") as LoadSpec;
const connection = await connect({ servers: spec.server, name: "bench load", reconnect: false });
try {
  const run = spec.loop.ratePerSecond === undefined ? runLoop : runSteady;
  console.log(JSON.stringify(await run(spec, connection)));
} finally {
  await connection.close();
}
