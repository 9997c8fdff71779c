/**
 * A replica of plugins that its command line names, without a consumer file.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { until } from "../../scripts/lib/until.ts";
import { COMPONENTS, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

let nats: NatsConnection;
beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
});
afterAll(() => nats.close());

test("serves a component without files, and denies one that requests something, until a policy allows it", async () => {
  const [echo, store] = [uniqueName("echo"), uniqueName("store")];
  await using replica = await startReplica({
    policies: {},
    args: ["--plugin", `${echo}=${COMPONENTS.echo}`, "--plugin", `${store}=${COMPONENTS.gauntlet("read-write")}`],
  });
  expect(await request(nats, `rpc.${echo}.hello`, "hi")).toMatchObject({ status: 200, text: "hi" });
  const get = async () => request(nats, `rpc.${store}.get`, "b\nk");
  expect(await get()).toMatchObject({ error: "denied" });
  const folder = join(replica.folder, "policy");
  await mkdir(folder);
  await writeFile(join(folder, `${store}.yaml`), `plugin: ${store}\nallow: [key-value-read, key-value-write]\n`);
  await until(async () => (await get()).status === 404, {
    what: "the new policy is in force",
    timeoutMs: 60_000,
  });
});

test("reads a policy folder that is there at the start", async () => {
  const store = uniqueName("store");
  await using _replica = await startReplica({
    policies: { [`${store}.yaml`]: `plugin: ${store}\nallow: [key-value-read, key-value-write]\n` },
    args: ["--plugin", `${store}=${COMPONENTS.gauntlet("read-write")}`],
  });
  expect(await request(nats, `rpc.${store}.set`, "b\nk\nv")).toMatchObject({ status: 200 });
});
