/**
 * An outage of the store, as callers see it through plugins that return its error.
 */

import { connect } from "nats";
import { expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { startMongod } from "../harness/server.ts";
import { until } from "../../scripts/lib/until.ts";
import { run } from "../unit/cli/run.ts";

test("a plugin's error after an outage of the store may be tried again, and no other", async () => {
  const nats = await connect({ servers: inject("natsUrl") });
  try {
    await using mongod = await startMongod();
    const plugin = uniqueName("outage");
    await using replica = await startReplica({
      consumer: consumerFile({ group: "outage", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
      mongodbUrl: mongod.url,
    });
    const set = (): ReturnType<typeof request> =>
      request(nats, `rpc.${plugin}.set`, "bucket\nkey\nvalue", { "Rpc-Timeout-Ms": "5000" });
    expect((await set()).status).toBe(200);
    await mongod.kill();
    expect((await set()).headers).toMatchObject({ "Rpc-Error": "plugin-error", "Rpc-Retryable": "true" });
    const called = await run(["call", "--nats", inject("natsUrl"), plugin, "set", "bucket\nkey\nvalue"]);
    expect(called.code).toBe(3);
    // Its own error is its own, whatever the store does.
    expect((await request(nats, `rpc.${plugin}.err`)).headers).toMatchObject({
      "Rpc-Error": "plugin-error",
      "Rpc-Retryable": "false",
    });
    await mongod.restart();
    await until(async () => (await set()).status === 200, { what: "the store is back" });
    expect(replica.records.length).toBeGreaterThan(0);
  } finally {
    await nats.close();
  }
});
