/**
 * Asks the replicas that serve a plugin what it has used, by service discovery (docs/protocol.md): the broker's own
 * counts of the operations that it let through.
 *
 * @module
 */

import { connect, type Msg, type NatsConnection } from "nats";
import { z } from "zod";
import { ACCESS_LEVELS, type AccessLevel } from "../contract/access-levels.ts";
import type { PluginName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { type NatsOptions, natsConnectionOptions, natsError } from "../nats/connection.ts";
import { programVersion } from "../version.ts";

/** What the replicas of a plugin counted since each was started. */
export interface LevelUsage {
  readonly replicas: number;
  readonly used: Readonly<Record<AccessLevel, number>>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Replicas answer at once: so long after the last answer there are no more. */
const SILENCE_MS = 300;
const MAX_WAIT_MS = 2_000;

const count = z.int().min(0);
const statsReply = z.object({
  endpoints: z
    .array(
      z.object({
        data: z.object({
          used: z.object({ "key-value-read": count, "key-value-write": count, "outbound-http": count }),
        }),
      }),
    )
    .min(1),
});

/** Throws `nats-unavailable`, `no-responders` where no replica serves the plugin, `bad-reply` for an older replica. */
export async function readUsage(nats: NatsOptions, plugin: PluginName): Promise<LevelUsage> {
  const options = await natsConnectionOptions(nats);
  const doing = `asking for the statistics of ${plugin}`;
  try {
    const connection = await connect({
      ...options,
      name: `network-host inspect ${programVersion()}`,
      reconnect: false,
      timeout: CONNECT_TIMEOUT_MS,
    });
    try {
      return sumOf(await ask(connection, plugin), plugin);
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw natsError(error, doing);
  }
}

async function ask(connection: NatsConnection, plugin: PluginName): Promise<readonly Msg[]> {
  const answers = await connection.requestMany(`$SRV.STATS.${plugin}`, "", {
    strategy: "stall",
    stall: SILENCE_MS,
    maxWait: MAX_WAIT_MS,
  });
  return await Array.fromAsync(answers);
}

function sumOf(answers: readonly Msg[], plugin: PluginName): LevelUsage {
  const used: Record<AccessLevel, number> = { "key-value-read": 0, "key-value-write": 0, "outbound-http": 0 };
  for (const answer of answers) {
    const counts = parseCounts(answer);
    for (const level of ACCESS_LEVELS) used[level] += counts[level];
  }
  if (answers.length === 0) throw new HostError("no-responders", `no replica serves ${plugin}`);
  return { replicas: answers.length, used };
}

function parseCounts(answer: Msg): Readonly<Record<AccessLevel, number>> {
  try {
    const [endpoint] = statsReply.parse(answer.json()).endpoints;
    if (endpoint !== undefined) return endpoint.data.used;
  } catch (error) {
    throw new HostError("bad-reply", "a replica's statistics do not tell what the plugin used", { cause: error });
  }
  throw new HostError("bad-reply", "a replica's statistics have no endpoint");
}
