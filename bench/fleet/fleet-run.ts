/**
 * A run that measures what many plugins on one replica cost. The table goes to stdout, and as JSON in its last line.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.ts";
import { median } from "../figures/statistics.ts";
import { digits, table, whole } from "../figures/report-text.ts";
import { publish, short } from "../published/publish.ts";
import { writeComponents, writeFleet } from "../replicas/fleet-files.ts";
import { type ReplicaFiles, type RunningReplica, startReplica } from "../replicas/replica.ts";
import { startServers } from "../servers/servers.ts";
import { describeMachine, machineLine } from "../setup/machine.ts";
import { hostPathOf } from "../setup/open-run.ts";
import { openFolder, report, writeRun } from "../setup/results.ts";
import type { FleetPlan } from "./command.ts";
import { type FleetRow, measureReplica } from "./measurement.ts";

const COMPONENT = join(ROOT, "examples/echo-c/echo.wasm");
const NODE_STARTS = 5;
const KIB_OF_MIB = 1024;

/** Measures, prints and writes down everything; the last line has all rows. */
export async function runFleet(plan: FleetPlan, signal: AbortSignal): Promise<void> {
  const { sizes, components } = plan;
  const machine = await describeMachine();
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
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
    signal.throwIfAborted();
    report(`${size} plugins`);
    const files = await writeFleet(size, paths, join(folder, `fleet-${size}`));
    const startMs = performance.now();
    await using replica = await start(files, `fleet-${size}`);
    const readyMs = performance.now() - startMs - nodeMs;
    rows.push(await measureReplica(replica.pid, servers.natsUrl, size, readyMs));
  }
  const text = [machineLine(machine), fleetText(rows)].join("\n\n");
  const path = await writeRun({ plan, machine, nodeStartMs: nodeMs, rows }, text);
  const [few, many] = [rows[0], rows.at(-1)];
  if (plan.publishes && few !== undefined && many !== undefined && few !== many) {
    const idlePluginKib = ((many.hostMib - few.hostMib) / (many.plugins - few.plugins)) * KIB_OF_MIB;
    await publish("fleet", { machine: machineLine(machine), rows, idlePluginKib: short(idlePluginKib) });
  }
  console.log(`${text}\n\nEverything measured: ${path}`);
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

function fleetText(rows: readonly FleetRow[]): string {
  return table(
    ["plugins", "ready ms", "host MiB", "processes", "idle CPU", "first request ms", "warm ms", "runner MiB"],
    rows.map((row) => [
      whole(row.plugins),
      digits(row.readyMs),
      digits(row.hostMib),
      String(row.idleProcesses),
      digits(row.idleCpu),
      digits(row.firstRequestMs),
      digits(row.warmMs),
      digits(row.runnerMib),
    ]),
  );
}
