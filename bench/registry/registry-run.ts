/**
 * A run that measures starts with components of a registry beside starts with files. The table goes to stdout, and as JSON in
 * its last line.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.ts";
import { inTurn } from "../figures/in-turn.ts";
import { spread, table, times, whole } from "../figures/report-text.ts";
import { ratioOf, type Spread, spreadOf } from "../figures/statistics.ts";
import { padded, writeComponents, writeFleet } from "../replicas/fleet-files.ts";
import { type ReplicaFiles, startReplica } from "../replicas/replica.ts";
import { startServers } from "../servers/servers.ts";
import { describeMachine, machineLine } from "../setup/machine.ts";
import { hostPathOf } from "../setup/open-run.ts";
import { openFolder, report, writeRun } from "../setup/results.ts";
import type { RegistryPlan } from "./command.ts";
import { pushAll, startRegistry } from "./pushed-components.ts";

const COMPONENT = join(ROOT, "examples/echo-c/echo.wasm");
/** As large as a plugin in Python, and compiled in a moment: what takes time is what differs. */
const LARGE_BYTES = 20 * 1024 * 1024;

/** What is started, and what of the cache is removed before: of many, compiling would hide what a registry costs. */
const CASES = [
  { name: "one of 20 MiB, cold cache", fleet: "large", removed: "." },
  { name: "many, compiled and not fetched", fleet: "many", removed: "components" },
  { name: "many, warm cache", fleet: "many", removed: undefined },
] as const;

const SOURCES = ["file", "registry"] as const;

type Case = (typeof CASES)[number];
type Source = (typeof SOURCES)[number];
type Fleets = Readonly<Record<Case["fleet"], Readonly<Record<Source, ReplicaFiles>>>>;

interface CaseResult {
  readonly name: string;
  readonly fileMs: Spread;
  readonly registryMs: Spread;
  readonly ratio: Spread;
}

/** Measures, prints and writes down everything; the last line has the ratios. */
export async function runRegistry(plan: RegistryPlan, signal: AbortSignal): Promise<void> {
  const machine = await describeMachine();
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers({ store: "sqlite", jobs: [], folder }, owned, report);
  const host = await startRegistry(folder, owned, report);
  report("pushing the components");
  const fleets = await writeFleets(plan, host, folder);

  /** Milliseconds from the host's start until it takes requests. */
  const start = async (files: ReplicaFiles, name: string, cache: string): Promise<number> => {
    signal.throwIfAborted();
    const startMs = performance.now();
    await using _replica = await startReplica({
      name,
      mainPath,
      natsUrl: servers.natsUrl,
      store: servers.store,
      database: name,
      engine: "auto",
      files,
      cache,
      folder,
      flags: ["--registry-plain-http", host],
    });
    return performance.now() - startMs;
  };
  const results: CaseResult[] = [];
  for (const one of CASES) results.push(await measureCase(one, plan.rounds, fleets, folder, start));
  const text = [
    machineLine(machine),
    `${plan.plugins} plugins of ${plan.components} components where there are many; ${plan.rounds} rounds: median (smallest–largest) of the time until ready`,
    resultText(results),
  ].join("\n\n");
  const path = await writeRun({ plan, machine, results }, text);
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(JSON.stringify({ registry: results.map(({ name, ratio }) => ({ name, ratio: ratio.median })) }));
}

async function writeFleets({ plugins, components }: RegistryPlan, host: string, folder: string): Promise<Fleets> {
  const large = join(folder, "large.wasm");
  await writeFile(large, padded(await readFile(COMPONENT), randomBytes(LARGE_BYTES)));
  const paths = await writeComponents(COMPONENT, components, join(folder, "components"));
  const many = Array.from({ length: plugins }, (_, index) => paths[index % components] ?? "");
  const both = async (paths: readonly string[], name: string): Promise<Record<Source, ReplicaFiles>> => ({
    file: await writeFleet(paths.length, paths, join(folder, `${name}-files`), `${name}-file`),
    registry: await writeFleet(
      paths.length,
      await pushAll(host, paths, name),
      join(folder, `${name}-registry`),
      `${name}-registry`,
    ),
  });
  return { large: await both([large], "large"), many: await both(many, "many") };
}

async function measureCase(
  { name, fleet, removed }: Case,
  rounds: number,
  fleets: Fleets,
  folder: string,
  start: (files: ReplicaFiles, name: string, cache: string) => Promise<number>,
): Promise<CaseResult> {
  const measured: Record<Source, number[]> = { file: [], registry: [] };
  const cacheOf = (source: Source): string => join(folder, `cache-${source}`);
  for (const source of SOURCES) {
    await rm(cacheOf(source), { recursive: true, force: true });
    await mkdir(cacheOf(source), { mode: 0o700 });
    if (removed !== ".") await start(fleets[fleet][source], `${fleet}-${source}`, cacheOf(source));
  }
  for (let round = 1; round <= rounds; round++) {
    for (const source of inTurn(SOURCES, round)) {
      if (removed !== undefined) await rm(join(cacheOf(source), removed), { recursive: true, force: true });
      measured[source].push(await start(fleets[fleet][source], `${fleet}-${source}`, cacheOf(source)));
    }
    report(
      `${name}, round ${round}/${rounds}: ${SOURCES.map((source) => `${source} ${whole(measured[source].at(-1) ?? 0)} ms`).join(", ")}`,
    );
  }
  return {
    name,
    fileMs: spreadOf(measured.file),
    registryMs: spreadOf(measured.registry),
    ratio: ratioOf(measured.registry, measured.file),
  };
}

function resultText(results: readonly CaseResult[]): string {
  return table(
    ["components", "files, ms", "registry, ms", "ratio"],
    results.map(({ name, fileMs, registryMs, ratio }) => [
      name,
      spread(fileMs, whole),
      spread(registryMs, whole),
      spread(ratio, times),
    ]),
  );
}
