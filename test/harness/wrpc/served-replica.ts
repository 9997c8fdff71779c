/**
 * A replica whose plugins are served over wRPC, on both transports, with a NATS server of its own: what is said there is said
 * by its callers and by it.
 *
 * @module
 */

import { freePort } from "../../../src/local-nats/free-port.ts";
import { COMPONENTS, policyFiles } from "../plugins.ts";
import { type Replica, startReplica } from "../replica.ts";
import { type OwnServer, startNatsServer } from "../server.ts";

export const WRPC_PREFIX = "calls";
export const LOOPBACK = "127.0.0.1";

const MIB = 1024 * 1024;
/** Beyond what bodies of the tests have. */
const AMPLE_BYTES = 8 * MIB;
const AMPLE_DEADLINE_MS = 60_000;
/** Of the plugin that takes little. */
const SMALL_BYTES = 64;

const PLUGINS = {
  gauntlet: COMPONENTS.gauntlet("read-write"),
  echo: COMPONENTS.echo,
  small: COMPONENTS.gauntlet("none"),
  /** It asks for what no policy allows it. */
  denied: COMPONENTS.gauntlet("write"),
} as const;

export type ServedName = keyof typeof PLUGINS;

export interface WrpcReplica extends AsyncDisposable {
  readonly replica: Replica;
  readonly nats: OwnServer;
  /** Where a plugin is over TCP. */
  readonly ports: Readonly<Record<ServedName, number>>;
  /** The prefix of a plugin over NATS. */
  readonly prefixOf: (plugin: ServedName) => string;
}

export async function startWrpcReplica(): Promise<WrpcReplica> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  const [gauntlet, echo, small, denied] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const ports = { gauntlet, echo, small, denied };
  const replica = stack.use(
    await startReplica({
      natsUrl: nats.url,
      consumer: JSON.stringify({
        group: "wrpc",
        plugins: Object.entries(PLUGINS).map(([name, component]) => ({ name, component })),
        limits: { deadlineMs: AMPLE_DEADLINE_MS, payloadBytes: AMPLE_BYTES, replyBytes: AMPLE_BYTES },
        wrpc: {
          tcp: {
            plugins: Object.entries(ports).map(([name, port]) => ({ name, listen: `${LOOPBACK}:${port}` })),
          },
          nats: { prefix: WRPC_PREFIX, plugins: Object.keys(PLUGINS) },
        },
      }),
      policies: policyFiles({
        gauntlet: { allow: ["key-value-read", "key-value-write"] },
        echo: { allow: [] },
        small: { allow: [], limits: { payloadBytes: SMALL_BYTES } },
        denied: { allow: [] },
      }),
    }),
  );
  const owned = stack.move();
  return {
    replica,
    nats,
    ports,
    prefixOf: (plugin) => `${WRPC_PREFIX}.${plugin}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
