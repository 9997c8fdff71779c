/**
 * What all contenders that are one process have in common: how they are started, and when they take requests.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../processes/child-process.ts";
import type { Job } from "../jobs/jobs.ts";
import type { BenchStore } from "../servers/servers.ts";
import type { RunningContender, Surroundings } from "./contender.ts";

/** How to start it. */
export interface ResponderCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The subject that a responder of one process listens on. */
export function responderSubject(name: string, job: Job): string {
  return job.components.length === 1 ? `${name}.${job.name}.${job.method}` : `${name}.${job.name}.*.${job.method}`;
}

/** Where its values are: a MongoDB URL or a file's path; `-` where it has no store. */
export function storeAddress(name: string, job: Job, store: BenchStore): string {
  if (job.store === "none") return "-";
  return store.kind === "mongodb" ? store.urlOf(name) : store.pathOf(name);
}

/** Starts one; it says `ready` in a line of its own when it takes requests. */
export async function startResponder(
  { name, command, args }: ResponderCommand,
  job: Job,
  { folder }: Surroundings,
): Promise<RunningContender> {
  const child = await startChild({
    name,
    command,
    args,
    folder,
    answers: async () => /^ready$/m.test(await readFile(join(folder, `${name}.log`), "utf8")),
  });
  return {
    subject: responderSubject(name, job),
    processes: async () => [{ role: "responder", pid: child.pid }],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Why one that has a MongoDB driver alone cannot do a job. */
export function needsMongodb(job: Job, store: BenchStore["kind"]): string | undefined {
  return job.store === "none" || store === "mongodb" ? undefined : "it has no driver for SQLite";
}

/** Why one that loads a single plugin cannot do a job. */
export function needsOnePlugin(job: Job): string | undefined {
  return job.components.length === 1 ? undefined : "it has one plugin";
}
