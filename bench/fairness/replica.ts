/**
 * One replica with the good plugins and a hostile one beside them, as an operator runs it: default limits, the default
 * log written to a file.
 *
 * @module
 */

import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.ts";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import { obtainComponent } from "../jobs/components.ts";
import { JOBS } from "../jobs/jobs.ts";
import { type RunningReplica, type ServedPlugin, startReplica, writeReplicaFiles } from "../replicas/replica.ts";
import type { Servers } from "../servers/servers.ts";
import type { Attack } from "./attacks.ts";
import { GOOD_JOBS, type GoodJob } from "./fairness.ts";

/** What the replica is made of. */
export interface AttackedReplicaPlan {
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
export async function startAttackedReplica({
  mainPath,
  engine,
  attack,
  servers,
  folder,
  cache,
  sink,
  report,
}: AttackedReplicaPlan): Promise<RunningReplica> {
  const plugins = [attackedPlugin(HOSTILE, join(ROOT, attack.component), sink)];
  for (const job of GOOD_JOBS) {
    for (const component of JOBS[job].components) {
      plugins.push(attackedPlugin(goodName(job), await obtainComponent(component, report), sink));
    }
  }
  return await startReplica({
    name: "network-host",
    mainPath,
    natsUrl: servers.natsUrl,
    store: servers.store,
    database: "host",
    engine,
    files: await writeReplicaFiles("fairness", plugins, folder),
    cache,
    folder,
  });
}

function attackedPlugin(name: string, component: string, sink: string): ServedPlugin {
  return {
    name,
    component,
    allow: ["key-value-read", "key-value-write", "outbound-http"],
    hosts: [`http://${sink}`],
  };
}

function goodName(job: GoodJob): string {
  return `good-${job}`;
}
