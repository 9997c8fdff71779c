/**
 * What a run on one or more replicas begins with: the machine's description, the load generator, the host's build, a folder
 * and the servers.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { buildHost } from "../../scripts/build/host.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { type Generator, openGenerator } from "../generator/generator.ts";
import type { Job } from "../jobs/jobs.ts";
import { type Servers, startServers } from "../servers/servers.ts";
import { describeMachine, type Machine, machineLine } from "./machine.ts";
import { openFolder, report } from "./results.ts";
import type { SetupPlan } from "./setup-plan.ts";

/** What a run measures with. */
export interface OpenRun {
  readonly machine: Machine;
  readonly generator: Generator;
  /** The host's executable. */
  readonly mainPath: string;
  readonly folder: string;
  readonly servers: Servers;
}

/** Opens all of it; whoever owns the stack ends the servers and removes the folder. */
export async function openRun(
  plan: SetupPlan,
  owned: AsyncDisposableStack,
  jobs: readonly Job[] = [],
): Promise<OpenRun> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = await hostPathOf(plan);
  const folder = await openFolder(owned);
  const servers = await startServers({ store: plan.store, jobs, folder }, owned, report);
  return { machine, generator, mainPath, folder, servers };
}

/** The first line of a report. */
export function setupLine({ machine, generator }: Pick<OpenRun, "machine" | "generator">, plan: SetupPlan): string {
  return `${machineLine(machine)}; store ${plan.store}, engine ${plan.engine}, load generator in ${generator.kind}`;
}

/** @returns the executable of the host that is measured; the one of this tree is built. */
export async function hostPathOf({ hostPath }: Pick<SetupPlan, "hostPath">): Promise<string> {
  if (hostPath !== undefined) return resolve(hostPath);
  await buildHost();
  return join(ROOT, "dist/main.js");
}
