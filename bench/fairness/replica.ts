/**
 * One replica with the good plugins and a hostile one beside them, as an operator runs it: default limits, the default
 * log written to a file.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.ts";
import { freePort } from "../../test/harness/ports.ts";
import { type RunningChild, startChild } from "../child-process.ts";
import { isReady, storeFlag } from "../contenders/host.ts";
import { obtainComponent } from "../components.ts";
import { JOBS } from "../jobs.ts";
import type { Servers } from "../servers.ts";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import type { Attack } from "./attacks.ts";
import { GOOD_JOBS, type GoodJob } from "./fairness.ts";

/** What the replica is made of. */
export interface ReplicaPlan {
  /** The host's executable. */
  readonly mainPath: string;
  readonly engine: EngineChoice;
  readonly attack: Attack;
  readonly servers: Servers;
  /** For its files and output; empty at first. */
  readonly folder: string;
  /** Compiled plugins; kept from one replica to the next. */
  readonly cache: string;
  /** Authority of the server that the hostile plugin may reach. */
  readonly sink: string;
  readonly report: (line: string) => void;
}

const HOSTILE = "hostile";

/** Subject of the good plugin that does a job. */
export function goodSubject(job: GoodJob): string {
  return `rpc.${goodName(job)}.${JOBS[job].method}`;
}

/** Subject of a method of the hostile plugin. */
export function hostileSubject(method: string): string {
  return `rpc.${HOSTILE}.${method}`;
}

/** Starts the replica. Disposing of it ends it. */
export async function startReplica({
  mainPath,
  engine,
  attack,
  servers,
  folder,
  cache,
  sink,
  report,
}: ReplicaPlan): Promise<RunningChild> {
  const consumer = join(folder, "consumer.yaml");
  const policies = join(folder, "policy");
  await mkdir(policies, { recursive: true });
  const plugins = [{ name: HOSTILE, component: join(ROOT, attack.component) }];
  for (const job of GOOD_JOBS) {
    for (const component of JOBS[job].components) {
      plugins.push({ name: goodName(job), component: await obtainComponent(component, report) });
    }
  }
  const lines = plugins.map(
    ({ name, component }) => `  - name: ${name}\n    component: ${JSON.stringify(component)}\n`,
  );
  await writeFile(consumer, `group: fairness\nplugins:\n${lines.join("")}`);
  for (const { name } of plugins) {
    await writeFile(
      join(policies, `${name}.yaml`),
      `plugin: ${name}\nallow: [key-value-read, key-value-write, outbound-http]\nhosts: ["http://${sink}"]\n`,
    );
  }
  const healthPort = await freePort();
  const flags = [
    ["--nats", servers.natsUrl],
    storeFlag(servers.store, "host"),
    ["--engine", engine],
    ["--consumer", consumer],
    ["--policy", policies],
    ["--cache", cache],
    ["--health-port", String(healthPort)],
  ];
  return await startChild({
    name: "network-host",
    command: process.execPath,
    args: [mainPath, "serve", ...flags.flat()],
    folder,
    answers: () => isReady(healthPort),
  });
}

function goodName(job: GoodJob): string {
  return `good-${job}`;
}
