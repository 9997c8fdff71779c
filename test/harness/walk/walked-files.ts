/**
 * The files of `src/` that an echo passes: those with a function that is called at least once for each echo, in the host or
 * in the runner. What is called for many echoes together (a flush of the log, a look at the runner's memory, a ping) is
 * no part of it.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { COMPONENTS, consumerFile, uniqueName } from "../plugins.ts";
import { type Replica, startReplica } from "../replica.ts";
import { request } from "../request.ts";
import { until } from "../../../scripts/lib/until.ts";
import { besidePath, type CallCounts } from "./call-counts.ts";
import { HOST_MARK, RUNNER_MARK } from "./marks.ts";

/** Echoes under way at a time: few enough to go through the host within one turn of their plugin. */
const AT_A_TIME = 5;
/** Echoes between two counts. */
const COUNTED = 50;
/**
 * What runs by the clock runs as often as echoes do where a machine is slow; hardly in each of so many counts, as what
 * echoes pass does.
 */
const COUNTS = 8;

/** Paths within `src/`, in order. */
export interface WalkedFiles {
  readonly host: readonly string[];
  readonly runner: readonly string[];
}

/** Sends some hundred echoes to a counted replica of its own. */
export async function walkedFiles(nats: NatsConnection): Promise<WalkedFiles> {
  const plugin = uniqueName("walk");
  await using replica = await startReplica({
    consumer: consumerFile({ group: "walk", plugins: { [plugin]: COMPONENTS.echo } }),
    policies: {},
    env: { ENGINE: "linker", NODE_OPTIONS: `--import=${besidePath("counted-host.ts")}` },
  });
  const echo = async (): Promise<void> => {
    for (let sent = 0; sent < COUNTED; sent += AT_A_TIME) {
      const replies = Array.from({ length: AT_A_TIME }, () => request(nats, `rpc.${plugin}.echo`, "hello"));
      for (const { text } of await Promise.all(replies)) if (text !== "hello") throw new Error(`an echo said ${text}`);
    }
  };
  // What is made once is made by then.
  await echo();
  await takeCounts(replica, 1);
  const counts: BothCounts[] = [];
  for (let taken = 2; taken < COUNTS + 2; taken += 1) {
    await echo();
    counts.push(await takeCounts(replica, taken));
  }
  return { host: filesInEach(counts.map(({ host }) => host)), runner: filesInEach(counts.map(({ runner }) => runner)) };
}

function filesInEach(counts: readonly CallCounts[]): string[] {
  const [first, ...others] = counts.map(filesIn);
  return [...(first ?? [])].filter((file) => others.every((files) => files.has(file))).sort();
}

/** Those with a function that was called for each echo. */
function filesIn(counts: CallCounts): ReadonlySet<string> {
  const passed = Object.entries(counts).filter(([, count]) => count >= COUNTED);
  return new Set(passed.map(([key]) => key.slice(0, key.indexOf(" "))));
}

interface BothCounts {
  readonly host: CallCounts;
  readonly runner: CallCounts;
}

/** What both processes called since they were last asked. `times` is how often that is, with this time. */
async function takeCounts(replica: Replica, times: number): Promise<BothCounts> {
  const said = (mark: string): string[] => {
    const lines = replica.errorOutput.split("\n").slice(0, -1);
    return lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  };
  replica.signal("SIGWINCH");
  await until(() => said(HOST_MARK).length === times && said(RUNNER_MARK).length === times, {
    what: "host and runner have told what they called",
  });
  const last = (mark: string): CallCounts => JSON.parse(said(mark).at(-1) ?? "{}") as CallCounts;
  return { host: last(HOST_MARK), runner: last(RUNNER_MARK) };
}
