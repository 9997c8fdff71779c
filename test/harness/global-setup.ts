/**
 * Brings up the servers that the integration tests share: a NATS server and a MongoDB replica set of one.
 *
 * By Testcontainers where a Docker engine answers and has or can pull the images, else as processes of binaries that
 * are found or obtained. `NETWORK_HOST_TEST_SERVERS=container|process` takes the choice away. With `CI` set a Docker
 * engine without the images is an error, not a reason to go on with less.
 *
 * @module
 */

import { MongoDBContainer } from "@testcontainers/mongodb";
import { NatsContainer } from "@testcontainers/nats";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { ServerMissingError } from "../../scripts/servers/binaries.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { nameEngineHost } from "./engine-host.ts";
import { ensureImages, type Images, images } from "./images.ts";
import { mongodArgs, mongodIsPrimary } from "../../scripts/servers/mongod-probe.ts";
import { mongodbUrlOf, natsUrlOf, READY_TIMEOUT_MS, readied } from "./readiness.ts";
import { launchProcess } from "./server-process.ts";

/** Whether the tests' servers are containers or processes of this machine. */
export type ServerKind = "container" | "process";

declare module "vitest" {
  export interface ProvidedContext {
    /** URL of the shared NATS server; no credentials needed. */
    natsUrl: string;
    /** URL of the shared MongoDB, a replica set of one; every test uses a database of its own. */
    mongodbUrl: string;
    serverKind: ServerKind;
    /** Folder of compiled components that the replicas of a run share, as those of a machine do. */
    artifactCache: string;
  }
}

/** The module of Testcontainers always sets a user; clients without credentials act as that one. */
const NATS_CONFIG = `
authorization { users = [{ user: test, password: test }] }
no_auth_user: test
`;

/** vitest's hook: provides the URLs and returns the tear-down. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const stack = new AsyncDisposableStack();
  try {
    const kind = await chooseKind();
    const inContainers = kind === "container";
    const [nats, mongodb] = await Promise.allSettled([
      inContainers ? startNatsContainer(images(), stack) : startNatsProcess(stack),
      inContainers ? startMongoContainer(images(), stack) : startMongodProcess(stack),
    ]);
    const artifactCache = await mkdtemp(join(tmpdir(), "artifacts-"));
    stack.defer(() => rm(artifactCache, { recursive: true, force: true }));
    project.provide("artifactCache", artifactCache);
    project.provide("serverKind", kind);
    project.provide("natsUrl", valueOf(nats));
    project.provide("mongodbUrl", valueOf(mongodb));
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return () => stack.disposeAsync();
}

async function chooseKind(): Promise<ServerKind> {
  // The reaper is one more image to pull; every container is removed by its owner in the tear-down.
  process.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";
  nameEngineHost(process.env);
  const asked = process.env["NETWORK_HOST_TEST_SERVERS"];
  if (asked === "process") return "process";
  if (asked !== undefined && asked !== "container") {
    throw new ServerMissingError(`NETWORK_HOST_TEST_SERVERS is "${asked}"; it may be "container" or "process"`);
  }
  const readiness = await ensureImages(images());
  if (readiness.kind === "ready") return "container";
  const mustBeContainers = asked === "container" || (process.env["CI"] !== undefined && readiness.kind === "no-image");
  if (mustBeContainers) throw new ServerMissingError(readiness.message);
  console.warn(`Integration tests use local server binaries: ${readiness.message}.`);
  return "process";
}

function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

async function startNatsContainer({ nats }: Images, stack: AsyncDisposableStack): Promise<string> {
  const container = await new NatsContainer(nats)
    .withCopyContentToContainer([{ content: NATS_CONFIG, target: "/etc/network-host-test.conf" }])
    .withArg("--config", "/etc/network-host-test.conf")
    .withStartupTimeout(READY_TIMEOUT_MS)
    .start();
  stack.defer(async () => void (await container.stop()));
  return natsUrlOf({ host: container.getHost(), port: container.getMappedPort(4222) });
}

async function startMongoContainer({ mongo }: Images, stack: AsyncDisposableStack): Promise<string> {
  const container = await new MongoDBContainer(mongo).withStartupTimeout(READY_TIMEOUT_MS).start();
  stack.defer(async () => void (await container.stop()));
  return mongodbUrlOf({ host: container.getHost(), port: container.getMappedPort(27_017) });
}

async function startNatsProcess(stack: AsyncDisposableStack): Promise<string> {
  const launched = await launchProcess({
    binary: "nats-server",
    args: ({ port }) => ["--addr", "127.0.0.1", "--port", String(port)],
  });
  stack.defer(() => launched.remove());
  await readied(launched, () => natsAnswers(launched), "nats-server answers");
  return natsUrlOf(launched);
}

async function startMongodProcess(stack: AsyncDisposableStack): Promise<string> {
  const launched = await launchProcess({
    binary: "mongod",
    args: (place) => [...mongodArgs(place), "--replSet", "rs0"],
  });
  stack.defer(() => launched.remove());
  await readied(launched, () => mongodIsPrimary(launched, `127.0.0.1:${launched.port}`), "mongod is primary");
  return mongodbUrlOf(launched);
}
