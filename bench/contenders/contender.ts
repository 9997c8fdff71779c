/**
 * Port of what is measured: something that answers a job's requests on a NATS subject of its own. To measure another
 * one, write a module beside the two that are here and name it in `contenders.ts`.
 *
 * @module
 */

import type { Job } from "../jobs.ts";
import type { WatchedProcess } from "../process-usage.ts";
import type { BenchStore } from "../servers.ts";

/** What a contender finds around it. */
export interface Surroundings {
  readonly natsUrl: string;
  readonly store: BenchStore;
  /** For its files and output; empty at first, and of this contender alone. */
  readonly folder: string;
}

/** One way to answer requests. */
export interface Contender {
  /** Unique; stands in the report. */
  readonly name: string;
  /** Settles when it takes requests of the job. One job at a time. */
  start(job: Job, surroundings: Surroundings): Promise<RunningContender>;
}

/** A contender that takes requests. Disposing of it ends its processes. */
export interface RunningContender extends AsyncDisposable {
  readonly subject: string;
  /** Its processes as they are now. */
  processes(): Promise<readonly WatchedProcess[]>;
}
