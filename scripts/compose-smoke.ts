/**
 * `node scripts/compose-smoke.ts`: brings docker-compose.yml up as a stack of its own, calls the example plugins, scales
 * the consumer to three replicas, checks how its containers are confined, stops them and takes everything down again.
 *
 * The images are those of docker-compose.yml: NATS_IMAGE, MONGO_IMAGE and NODE_IMAGE name others.
 *
 * @module
 */

import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { newCredentials } from "./compose/credentials.ts";
import { run } from "./lib/command.ts";
import { freePort } from "../src/local-nats/free-port.ts";
import { ROOT } from "./lib/project.ts";

const REPLICAS = 3;
const UP_TIMEOUT_MS = 15 * 60_000;
const STEP_TIMEOUT_MS = 120_000;
const DISCOVERY_TIMEOUT_MS = 2_000;
const CALLS = 60;

const natsPort = await freePort();
const credentials = newCredentials(natsPort);
const { NATS_URL: natsUrl = "" } = credentials;
/** How a client of the library gets in: it takes no credentials out of a URL. */
const asCaller = {
  servers: `nats://127.0.0.1:${natsPort}`,
  user: "caller",
  pass: credentials["NATS_CALLER_PASSWORD"] ?? "",
  reconnect: false,
};
const stack = {
  ...credentials,
  COMPOSE_PROJECT_NAME: "network-host-smoke",
  CONSUMER_IMAGE: "network-host:smoke",
};

try {
  await compose(["up", "--build", "--detach", "--wait", "consumer"], UP_TIMEOUT_MS);
  await checkCalls();
  await checkCompiled();
  await checkStrangers();
  await checkWrongFile();
  await checkBounds();
  await compose(["up", "--detach", "--wait", "--no-recreate", "--scale", `consumer=${REPLICAS}`, "consumer"]);
  await checkReplicas();
  await checkConfinement();
  await checkControl();
  await checkStop();
  console.log("compose smoke: passed");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await compose(["logs", "--no-color", "--tail", "50"]).catch(() => {});
  console.error("compose smoke: failed");
  process.exitCode = 1;
} finally {
  await compose(["down", "--volumes", "--timeout", "20"]);
}

async function compose(args: readonly string[], timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
  console.log(`docker compose ${args.join(" ")}`);
  await run("docker", ["compose", ...args], { timeoutMs, cwd: ROOT, env: stack, output: "inherit" });
}

async function docker(...args: readonly string[]): Promise<string> {
  return (await run("docker", args, { timeoutMs: STEP_TIMEOUT_MS, cwd: ROOT, env: stack })).trim();
}

/** Ids of the consumer's containers. */
async function consumers(...flags: readonly string[]): Promise<readonly string[]> {
  return (await docker("compose", "ps", "--quiet", ...flags, "consumer")).split("\n").filter((id) => id !== "");
}

async function call(plugin: string, method: string, payload: string): Promise<string> {
  return run(process.execPath, [join(ROOT, "dist/main.js"), "call", plugin, method, payload, "--nats", natsUrl], {
    timeoutMs: STEP_TIMEOUT_MS,
    cwd: ROOT,
  });
}

async function checkCalls(): Promise<void> {
  expectEqual(await call("echo", "say", "hello"), "hello", "the reply of echo");
  for (const plugin of ["user-data-rust", "user-data-ts"]) {
    expectEqual(await call(plugin, "process", "a payload"), "Successfully processed", `the reply of ${plugin}`);
  }
}

/** The image brings its components compiled: nothing is compiled at its start. */
async function checkCompiled(): Promise<void> {
  const log = await docker("compose", "logs", "--no-color", "consumer");
  expectEqual(log.includes('"plugin loaded"'), true, "plugins were loaded");
  expectEqual(log.includes('"component compiled"'), false, "a component was compiled");
}

/** NATS asks for credentials, and those of a caller do not let it serve. */
async function checkStrangers(): Promise<void> {
  const refused = await connect({ servers: asCaller.servers, reconnect: false }).then((nats) => nats.close(), String);
  expectEqual(/authorization/i.test(refused ?? ""), true, "a stranger is refused by NATS");
  const caller = await connect(asCaller);
  try {
    const forbidden = await caller.subscribe("rpc.echo").closed.then(String, String);
    expectEqual(/permissions violation/i.test(forbidden), true, "a caller may not serve");
  } finally {
    await caller.close();
  }
}

/** A consumer file that is not there ends a replica with 2, and the policy of its restarts has an end. */
async function checkWrongFile(): Promise<void> {
  const args = ["compose", "run", "--rm", "--no-deps", "consumer", "serve", "--consumer", "/none.yaml"];
  const failure = await run("docker", args, { timeoutMs: STEP_TIMEOUT_MS, cwd: ROOT, env: stack }).catch(String);
  expectEqual(failure.includes("config-invalid"), true, "a consumer file that is not there is named");
  const [id = ""] = await consumers();
  const policy = await docker("inspect", "--format", "{{json .HostConfig.RestartPolicy}}", id);
  expectEqual(policy, '{"Name":"on-failure","MaximumRetryCount":10}', "the policy of restarts");
}

/** No service may take the machine: each has bounds, and its log has an end. */
async function checkBounds(): Promise<void> {
  const format =
    "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.LogConfig.Config}}";
  const ids = (await docker("compose", "ps", "--quiet")).split("\n");
  expectEqual(ids.length, 3, "services that go on running");
  for (const id of ids) {
    const bounds = await docker("inspect", "--format", format, id);
    expectEqual(/^[1-9]\d+ [1-9]\d+ [1-9]\d+ map\[max-file:3 max-size:10m\]$/.test(bounds), true, `bounds: ${bounds}`);
  }
}

/** Every replica is there for discovery, and requests spread over all of them are all answered. */
async function checkReplicas(): Promise<void> {
  expectEqual((await consumers()).length, REPLICAS, "the number of containers");
  const nats = await connect(asCaller);
  try {
    expectEqual((await handledByReplica(nats)).size, REPLICAS, "the number of replicas that answer a ping");
    const replies = await Promise.all(
      Array.from({ length: CALLS }, async (_, index) => (await nats.request("rpc.echo", String(index))).string()),
    );
    expectEqual(replies.join(), Array.from({ length: CALLS }, (_, index) => index).join(), "the replies");
    const handled = [...(await handledByReplica(nats)).values()];
    expectEqual(
      handled.every((count) => count > 0),
      true,
      `every replica has handled requests (${handled.join(", ")})`,
    );
  } finally {
    await nats.close();
  }
}

/** Requests that each replica has handled for `echo`, by the replica's service id. */
async function handledByReplica(nats: NatsConnection): Promise<ReadonlyMap<string, number>> {
  const handled = new Map<string, number>();
  const answers = await nats.requestMany("$SRV.STATS.echo", "", {
    maxWait: DISCOVERY_TIMEOUT_MS,
    maxMessages: REPLICAS,
  });
  for await (const answer of answers) {
    const { id, endpoints } = answer.json<{ id: string; endpoints: readonly { num_requests: number }[] }>();
    handled.set(
      id,
      endpoints.reduce((sum, endpoint) => sum + endpoint.num_requests, 0),
    );
  }
  return handled;
}

/** What docker-compose.yml and the Dockerfile promise, seen from inside of each container. */
async function checkConfinement(): Promise<void> {
  for (const id of await consumers()) {
    const status = await docker("exec", id, "cat", "/proc/1/status");
    expectEqual(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m.test(status), true, "it runs as user 1000");
    expectEqual(/^CapBnd:\s+0+$/m.test(status), true, "it has no capabilities");
    expectEqual(/^NoNewPrivs:\s+1$/m.test(status), true, "it can gain no privileges");
    const mounts = await docker("exec", id, "cat", "/proc/mounts");
    expectEqual(/^\S+ \/ \S+ ro,/m.test(mounts), true, "its root file system is read-only");
  }
}

/** Whoever is in a container may ask its replica how it is, and have it read its files. */
async function checkControl(): Promise<void> {
  for (const id of await consumers()) {
    const { replicas } = JSON.parse(await docker("exec", id, "network-host", "status", "--json")) as {
      replicas: readonly { state: string }[];
    };
    expectEqual(replicas.map(({ state }) => state).join(), "ready", "the state of the container's replica");
    const said = await docker("exec", id, "network-host", "reload");
    expectEqual(said.includes("the files are in force"), true, "the container's replica has read its files again");
  }
}

/** SIGTERM drains: each replica ends with 0. */
async function checkStop(): Promise<void> {
  const ids = await consumers();
  await compose(["stop", "consumer"]);
  for (const id of ids) {
    expectEqual(await docker("inspect", "--format", "{{.State.ExitCode}}", id), "0", "a stopped replica's exit code");
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
  console.log(`✓ ${what}: ${String(actual).slice(0, 60)}`);
}
