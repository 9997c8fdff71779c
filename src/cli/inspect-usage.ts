/**
 * Asks the replicas that serve a plugin what it has used, by service discovery (docs/protocol.md): the broker's own
 * counts of the operations that it allowed. Answers from NATS are not trusted: names are checked, and lists are bounded.
 *
 * @module
 */

import { connect, type Msg, type NatsConnection } from "nats";
import { z } from "zod";
import { ACCESS_LEVELS, type AccessLevel } from "../contract/access-levels.ts";
import { LIMITABLE_METHODS } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { isBucketName, type PluginName } from "../contract/names.ts";
import { sumTargets, type UsedTargets } from "../contract/used-targets.ts";
import { HostError } from "../errors/host-error.ts";
import { type NatsOptions, natsConnectionOptions, natsError } from "../nats/connection.ts";
import { programVersion } from "../version.ts";

/** What the replicas of a plugin counted since each was started. */
export interface LevelUsage {
  readonly replicas: number;
  readonly used: Readonly<Record<AccessLevel, number>>;
  readonly targets: UsedTargets;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Replicas answer at once: this long after the last answer, no more are expected. */
const SILENCE_MS = 300;
const MAX_WAIT_MS = 2_000;

const MAX_TARGET_CHARACTERS = 400;

const count = z.int().min(0);
const bucketName = z.string().refine(isBucketName);
const bucket = z.object({ name: bucketName, reads: count, writes: count });
const host = z.object({
  target: z
    .string()
    .max(MAX_TARGET_CHARACTERS)
    .regex(/^[\x21-\x7e]+$/),
  methods: z.array(z.enum(LIMITABLE_METHODS)).max(LIMITABLE_METHODS.length),
  otherMethods: count,
  requests: count,
  addresses: z.array(z.union([z.ipv4(), z.ipv6()])).max(FIXED_LIMITS.usedTargets),
});
const targets = z.object({
  privateBuckets: z.array(bucket).max(FIXED_LIMITS.usedTargets),
  sharedBuckets: z.array(bucket.extend({ bucket: bucketName })).max(FIXED_LIMITS.usedTargets),
  otherBuckets: count,
  hosts: z.array(host).max(FIXED_LIMITS.usedTargets),
  otherHosts: count,
});
const statsReply = z.object({
  endpoints: z
    .array(
      z.object({
        data: z.object({
          used: z.object({ "key-value-read": count, "key-value-write": count, "outbound-http": count }),
          usedTargets: targets,
        }),
      }),
    )
    .min(1),
});

/** Throws `nats-unavailable`, `no-responders` where no replica serves the plugin, `bad-reply` for an older replica. */
export async function readUsage(nats: NatsOptions, plugin: PluginName): Promise<LevelUsage> {
  const options = natsConnectionOptions(nats);
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
  const parsed = answers.map(parseCounts);
  for (const counts of parsed) for (const level of ACCESS_LEVELS) used[level] += counts.used[level];
  if (answers.length === 0) throw new HostError("no-responders", `no replica serves ${plugin}`);
  return { replicas: answers.length, used, targets: sumTargets(parsed.map(({ usedTargets }) => usedTargets)) };
}

function parseCounts(answer: Msg): z.output<typeof statsReply>["endpoints"][number]["data"] {
  try {
    const [endpoint] = statsReply.parse(answer.json()).endpoints;
    if (endpoint !== undefined) return endpoint.data;
  } catch (error) {
    throw new HostError("bad-reply", "a replica's statistics do not say what the plugin used", { cause: error });
  }
  throw new HostError("bad-reply", "a replica's statistics have no endpoint");
}
