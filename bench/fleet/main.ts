/**
 * What many plugins on one replica cost: run it with `node bench/fleet/main.ts`. The table goes to stdout, and as
 * JSON in its last line; progress to stderr.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildHost } from "../../scripts/build/host.ts";
import { CommandError } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { ServerMissingError } from "../../scripts/servers/binaries.ts";
import { BenchError } from "../bench-error.ts";
import { type ReplicaFiles, type RunningReplica, startReplica } from "../replica.ts";
import { median } from "../statistics.ts";
import { startServers } from "../servers.ts";
import { writeComponents, writeFleet } from "./components.ts";
import { type FleetRow, measureReplica } from "./measurement.ts";
import { FLEET_USAGE, type FleetOptions, parseFleetOptions } from "./options.ts";

const COMPONENT = join(ROOT, "examples/echo-c/echo.wasm");
const NODE_STARTS = 5;

try {
  const options = parseFleetOptions(process.argv.slice(2));
  if (options === undefined) console.log(FLEET_USAGE);
  else await bench(options);
} catch (error) {
  const isKnown = error instanceof BenchError || error instanceof CommandError || error instanceof ServerMissingError;
  if (!isKnown) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function bench({ sizes, components, hostPath }: FleetOptions): Promise<void> {
  if (hostPath === undefined) await buildHost();
  const mainPath = hostPath === undefined ? join(ROOT, "dist/main.js") : resolve(hostPath);
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "network-host-fleet-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const servers = await startServers({ store: "sqlite", jobs: [], folder }, owned, report);
  const paths = await writeComponents(COMPONENT, components, join(folder, "components"));
  const start = (files: ReplicaFiles, name: string): Promise<RunningReplica> =>
    startReplica({
      name,
      mainPath,
      natsUrl: servers.natsUrl,
      store: servers.store,
      database: name,
      engine: "auto",
      files,
      cache: join(folder, "cache"),
      folder,
    });

  report(`filling the cache with ${components} components`);
  const warmUp = await start(await writeFleet(components, paths, join(folder, "warm-up")), "warm-up");
  await warmUp[Symbol.asyncDispose]();
  const nodeMs = await nodeStartMs();
  const rows: FleetRow[] = [];
  for (const size of sizes) {
    report(`${size} plugins`);
    const files = await writeFleet(size, paths, join(folder, `fleet-${size}`));
    const startMs = performance.now();
    await using replica = await start(files, `fleet-${size}`);
    const readyMs = performance.now() - startMs - nodeMs;
    rows.push(await measureReplica(replica.pid, servers.natsUrl, size, readyMs));
  }
  console.table(rows.map(rounded));
  console.log(JSON.stringify({ nodeStartMs: nodeMs, fleet: rows }));
}

/** What Node itself takes for a program that does nothing. */
async function nodeStartMs(): Promise<number> {
  const times: number[] = [];
  for (let start = 0; start < NODE_STARTS; start++) {
    const startMs = performance.now();
    await once(spawn(process.execPath, ["--eval", "0"], { stdio: "ignore" }), "exit");
    times.push(performance.now() - startMs);
  }
  return median(times);
}

function rounded(row: FleetRow): Record<string, number> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, number]) => [name, Number(value.toFixed(2))]),
  );
}

function report(line: string): void {
  console.error(line);
}
