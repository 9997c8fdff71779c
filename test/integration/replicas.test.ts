import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

describe("replicas of one consumer group", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  const files = (plugin: string) => ({
    consumer: consumerFile({ group: "shared", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
    mongodbUrl: inject("mongodbUrl"),
  });

  test("share the requests: each is handled once, by one of them, and what one writes the other reads", async () => {
    const plugin = uniqueName("pair");
    await using one = await startReplica({ ...files(plugin), replicaId: "one" });
    await using two = await startReplica({ ...files(plugin), replicaId: "two" });
    const ids = Array.from({ length: 300 }, (_, i) => `r-${i}`);
    const replies = await inParallel(ids, 32, (id) =>
      request(nats, `rpc.${plugin}.set`, `user-data\n${id}\n${id}`, { "Rpc-Id": id }),
    );
    expect(replies.map(({ status, headers }) => [status, headers["Rpc-Id"]])).toEqual(ids.map((id) => [200, id]));

    const handled = (records: typeof one.records) =>
      records.filter(({ msg }) => msg === "request").map(({ id }) => String(id));
    // Records are written after their replies were sent.
    await expect.poll(() => [one, two].flatMap(({ records }) => handled(records)).sort()).toEqual([...ids].sort());
    for (const { records } of [one, two]) expect(handled(records).length).toBeGreaterThan(0);

    const values = await inParallel(ids, 32, (id) => request(nats, `rpc.${plugin}.get`, `user-data\n${id}`));
    expect(values.map(({ text }) => text)).toEqual(ids);
  });

  test("survive the loss of one: only what it was handling goes unanswered, and no value is half-written", async () => {
    const plugin = uniqueName("loss");
    await using victim = await startReplica({ ...files(plugin), replicaId: "victim" });
    await using survivor = await startReplica({ ...files(plugin), replicaId: "survivor" });
    const size = 20_000;
    const ids = Array.from({ length: 240 }, (_, i) => i);
    let answered = 0;
    const outcomes = await inParallel(ids, 24, async (id) => {
      const payload = `user-data\n${id}\n${String(id % 10).repeat(size)}`;
      const outcome = await request(nats, `rpc.${plugin}.set`, payload, {}, 10_000).then(
        (reply) => reply.status ?? reply.error,
        () => "lost" as const,
      );
      answered += 1;
      if (answered === 80) await victim.kill();
      return outcome;
    });
    const lost = outcomes.filter((outcome) => outcome === "lost").length;
    expect(outcomes.filter((outcome) => outcome === 200).length + lost).toBe(ids.length);
    expect(lost).toBeLessThanOrEqual(24);

    const values = await inParallel(ids, 24, (id) => request(nats, `rpc.${plugin}.get`, `user-data\n${id}`));
    for (const [id, value] of values.entries()) {
      if (outcomes[id] === 200) expect(value.text).toBe(String(id % 10).repeat(size));
      else expect([404, 200]).toContain(value.status);
      if (value.status === 200) expect(value.data).toHaveLength(size);
    }
    expect(await survivor.isReady()).toBe(true);
  });
});

/** Runs a task for each item, so many at a time; results in the items' order. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
