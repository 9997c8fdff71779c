/**
 * A replica that stalled finds requests whose callers have given up: it says so and does not run them.
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect } from "nats";
import { expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { freeze } from "../harness/processes.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

const REQUESTS = 20;

test("what arrived while a replica stalled is not run once its caller's time is over", async () => {
  const nats = await connect({ servers: inject("natsUrl") });
  try {
    const plugin = uniqueName("stall");
    await using replica = await startReplica({
      consumer: consumerFile({ group: "stall", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
    });
    const get = async (key: string): Promise<number | undefined> =>
      (await request(nats, `rpc.${plugin}.get`, `bucket\n${key}`)).status;
    const set = (key: string, timeoutMs: number): ReturnType<typeof request> =>
      request(nats, `rpc.${plugin}.set`, `bucket\n${key}\nvalue`, { "Rpc-Timeout-Ms": String(timeoutMs) });
    expect((await set("before", 30_000)).status).toBe(200);
    expect(await freeze(replica.pid)).toBe(true);
    const impatient = Array.from({ length: REQUESTS }, (_, index) => set(`impatient-${index}`, 2_000));
    const patient = Array.from({ length: REQUESTS }, (_, index) => set(`patient-${index}`, 30_000));
    await nats.flush();
    // As long as the replica stands still: longer than the impatient ones have.
    await delay(4_000);
    replica.signal("SIGCONT");
    for (const reply of await Promise.all(impatient)) {
      expect(reply.headers).toMatchObject({ "Rpc-Error": "deadline-exceeded", "Rpc-Retryable": "true" });
    }
    expect((await Promise.all(patient)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(200));
    expect((await set("after", 30_000)).status).toBe(200);
    expect(await get("patient-0")).toBe(200);
    const written = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => get(`impatient-${index}`)));
    expect(written).toEqual(Array(REQUESTS).fill(404));
  } finally {
    await nats.close();
  }
});
