/**
 * Port of what is measured: something that answers a job's requests on a NATS subject of its own. To measure another
 * one, write a module beside those that are here and name it in `catalogue.ts`.
 *
 * @module
 */

import type { Job } from "../jobs/jobs.ts";
import type { WatchedProcess } from "../processes/process-usage.ts";
import type { BenchStore } from "../servers/servers.ts";

/** What a contender finds around it. */
export interface Surroundings {
  readonly natsUrl: string;
  readonly store: BenchStore;
  /** Paths of the job's components. */
  readonly components: readonly string[];
  /** For its files and output; empty at first, and of this contender alone. */
  readonly folder: string;
}

/** Can it be measured on this machine? */
export type Preparation = { readonly kind: "ready" } | { readonly kind: "impossible"; readonly reason: string };

/** One way to answer requests. */
export interface Contender {
  /** Unique; is in the report, and is the name of its database. */
  readonly name: string;
  /** Why it cannot do a job on such a store; `undefined` if it can. */
  refuses(job: Job, store: BenchStore["kind"]): string | undefined;
  /** Builds or installs what it needs. @param report is told before what takes long */
  prepare(report: (line: string) => void): Promise<Preparation>;
  /** Settles when it takes requests of the job. One job at a time. */
  start(job: Job, surroundings: Surroundings): Promise<RunningContender>;
}

/** A contender that takes requests. Disposing of it ends its processes. */
export interface RunningContender extends AsyncDisposable {
  /** With several plugins, a `*` stands for a plugin's number. */
  readonly subject: string;
  /** Its processes as they are now. */
  processes(): Promise<readonly WatchedProcess[]>;
}

export const READY: Preparation = { kind: "ready" };
