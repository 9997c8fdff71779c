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
import { until } from "../until.ts";
import { besidePath, type CallCounts } from "./call-counts.ts";
import { HOST_MARK, RUNNER_MARK } from "./marks.ts";

/** Echoes under way at a time: what is done for each of them and what for all together differ by so much. */
const AT_A_TIME = 20;
const WARM_UP_ROUNDS = 5;
const ROUNDS = 20;

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
    env: { NODE_OPTIONS: `--import=${besidePath("counted-host.ts")}` },
  });
  const echo = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      const replies = Array.from({ length: AT_A_TIME }, () => request(nats, `rpc.${plugin}.echo`, "hello"));
      for (const { text } of await Promise.all(replies)) if (text !== "hello") throw new Error(`an echo said ${text}`);
    }
  };
  await echo(WARM_UP_ROUNDS);
  await takeCounts(replica, 1);
  await echo(ROUNDS);
  const { host, runner } = await takeCounts(replica, 2);
  return { host: filesIn(host), runner: filesIn(runner) };
}

function filesIn(counts: CallCounts): string[] {
  const passed = Object.entries(counts).filter(([, count]) => count >= ROUNDS * AT_A_TIME);
  return [...new Set(passed.map(([key]) => key.slice(0, key.indexOf(" "))))].sort();
}

/** What both processes called since they were last asked. `times` is how often that is, with this time. */
async function takeCounts(replica: Replica, times: number): Promise<{ host: CallCounts; runner: CallCounts }> {
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
