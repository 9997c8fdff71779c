/**
 * Servers of a test's own: for tests that stop, freeze or kill one, which nobody else may share.
 *
 * They run the same way as the shared ones of the global set-up: as containers where there is a Docker engine, else
 * as processes.
 *
 * @module
 */

import { join } from "node:path";
import { inject } from "vitest";
import { natsListens } from "../../scripts/servers/nats-probe.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { images } from "./images.ts";
import { type Launched, mongodbUrlOf, natsUrlOf, READY_TIMEOUT_MS, readied } from "./readiness.ts";
import { mongodAnswers, mongodArgs, mongodIsPrimary } from "../../scripts/servers/mongod-probe.ts";
import { CONTAINER_FOLDER, launchContainer } from "./server-container.ts";
import { launchProcess } from "./server-process.ts";
import { until } from "../../scripts/lib/until.ts";

/** A server of a test's own. Dispose of it with `await using`. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
  /** Freezes it: connections stay open and nothing is answered. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Kills it at once; its clients' connections break. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port with the same data; settles when it answers. */
  restart(): Promise<void>;
}

/** @param args further flags of nats-server, such as `--max_payload` */
export async function startNatsServer(args: readonly string[] = []): Promise<OwnServer> {
  const launched =
    inject("serverKind") === "container"
      ? await launchContainer({ image: images().nats, containerPort: 4222, command: ["--port", "4222", ...args] })
      : await launchProcess({
          binary: "nats-server",
          args: ({ port }) => ["--addr", "127.0.0.1", "--port", String(port), ...args],
        });
  return ownServer(launched, natsUrlOf(launched), () => natsAnswers(launched));
}

/** A NATS server whose configuration can be changed while it runs. */
export interface ConfiguredNatsServer extends OwnServer {
  /** Has it read this in place of its configuration. It says nothing when it has: wait for what follows from it. */
  reload(configuration: string): Promise<void>;
  /** Replaces another of its files and has all of them read again. */
  replace(file: string, text: string): Promise<void>;
}

const CONFIGURATION = "nats.conf";

export interface NatsServerFiles {
  /** Further files, which the configuration names as they are here. */
  readonly files?: Readonly<Record<string, string>>;
  /** `client`: it waits for the client's TLS handshake. */
  readonly speaksFirst?: "server" | "client";
}

/** @param configuration without where it listens */
export async function startConfiguredNatsServer(
  configuration: string,
  { files: further = {}, speaksFirst = "server" }: NatsServerFiles = {},
): Promise<ConfiguredNatsServer> {
  const files = { ...further, [CONFIGURATION]: configuration };
  const launched =
    inject("serverKind") === "container"
      ? await launchContainer({
          image: images().nats,
          containerPort: 4222,
          command: ["--port", "4222", "--config", `${CONTAINER_FOLDER}/${CONFIGURATION}`],
          files,
        })
      : await launchProcess({
          binary: "nats-server",
          args: ({ port, folder }) => [
            "--addr",
            "127.0.0.1",
            "--port",
            String(port),
            "--config",
            join(folder, CONFIGURATION),
          ],
          files,
        });
  const answers = () => (speaksFirst === "server" ? natsAnswers(launched) : natsListens(launched));
  const server = await ownServer(launched, natsUrlOf(launched), answers);
  return {
    ...server,
    reload: (text) => launched.reload(CONFIGURATION, text),
    replace: (file, text) => launched.reload(file, text),
  };
}

/** A server that is not a replica set. */
export async function startStandaloneMongod(): Promise<OwnServer> {
  const launched =
    inject("serverKind") === "container"
      ? await launchContainer({ image: images().mongo, containerPort: 27_017, command: [] })
      : await launchProcess({ binary: "mongod", args: mongodArgs });
  return ownServer(launched, `mongodb://${launched.host}:${launched.port}/`, () => mongodAnswers(launched));
}

/** A replica set of one. */
export async function startMongod(args: readonly string[] = []): Promise<OwnServer> {
  const replicaSet = ["--replSet", "rs0", ...args];
  const inContainer = inject("serverKind") === "container";
  const launched = inContainer
    ? await launchContainer({ image: images().mongo, containerPort: 27_017, command: replicaSet })
    : await launchProcess({ binary: "mongod", args: (place) => [...mongodArgs(place), ...replicaSet] });
  const memberHost = inContainer ? "localhost:27017" : `127.0.0.1:${launched.port}`;
  return ownServer(launched, mongodbUrlOf(launched), () => mongodIsPrimary(launched, memberHost));
}

async function ownServer(launched: Launched, url: string, answers: () => Promise<boolean>): Promise<OwnServer> {
  await readied(launched, answers, `${url} answers`);
  return {
    url,
    pause: () => launched.pause(),
    resume: () => launched.resume(),
    kill: () => launched.kill(),
    async restart() {
      await launched.start();
      await until(answers, { what: `${url} answers again`, timeoutMs: READY_TIMEOUT_MS });
    },
    [Symbol.asyncDispose]: () => launched.remove(),
  };
}
