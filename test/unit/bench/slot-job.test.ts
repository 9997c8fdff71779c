import { headers, type Msg } from "nats";
import { expect, test } from "vitest";
import { createSlotJob } from "../../../bench/load-node/slot-job.ts";
import { subjectsOf } from "../../../bench/load-node/subjects.ts";

function replyOf(status: string | undefined, data: Uint8Array): Msg {
  const head = headers();
  if (status !== undefined) head.set("Rpc-Status", status);
  return { headers: head, data, string: () => Buffer.from(data).toString("utf8") } as Msg;
}

const KV = { kind: "kv", bytes: 32, bucket: "bench", keys: 5 } as const;

test("an echo's reply is right only if it is the payload of this very request", () => {
  const job = createSlotJob({ kind: "echo", bytes: 64 }, 3, 8);
  const first = job.next();
  expect(first).toHaveLength(64);
  expect(job.problemOf(replyOf("200", first))).toBeUndefined();
  job.next();
  expect(job.problemOf(replyOf("200", first))).toContain("the reply to");
});

test("a reply without a status, or with another one, is wrong", () => {
  const job = createSlotJob({ kind: "echo", bytes: 8 }, 0, 1);
  const payload = job.next();
  expect(job.problemOf(replyOf(undefined, payload))).toBe("the reply has no status");
  expect(job.problemOf(replyOf("500", payload))).toBe("status 500, not 200");
});

test("no key is asked for by two slots", () => {
  const keys = [0, 1].map((slot) => {
    const job = createSlotJob(KV, slot, 2);
    return new Set(Array.from({ length: 10 }, () => Buffer.from(job.next()).toString().split("\n")[1]));
  });
  expect(keys[0]).toEqual(new Set(["key-0", "key-2", "key-4"]));
  expect(keys[1]).toEqual(new Set(["key-1", "key-3"]));
});

test("a key's value must be the one that the slot wrote there last", () => {
  const job = createSlotJob({ ...KV, keys: 1 }, 0, 1);
  const written = Buffer.from(job.next()).toString().split("\n")[2] ?? "";
  expect(job.problemOf(replyOf("200", Buffer.from("key-0 of an earlier run........".padEnd(32, "."))))).toBeUndefined();
  job.next();
  expect(job.problemOf(replyOf("200", Buffer.from(written)))).toBeUndefined();
  job.next();
  expect(job.problemOf(replyOf("200", Buffer.from(written)))).toContain("key-0 holds");
});

test("a key may be missing only while the store is being filled", () => {
  const missing = replyOf("404", new Uint8Array(0));
  const filling = createSlotJob({ ...KV, filling: true }, 0, 1);
  filling.next();
  expect(filling.problemOf(missing)).toBeUndefined();
  const later = createSlotJob(KV, 0, 1);
  later.next();
  expect(later.problemOf(missing)).toBe("status 404, not 200");
});

test("a fixed reply is right byte by byte only", () => {
  const job = createSlotJob({ kind: "fixed", payload: "a", reply: "done" }, 0, 1);
  expect(Buffer.from(job.next()).toString()).toBe("a");
  expect(job.problemOf(replyOf("200", Buffer.from("done")))).toBeUndefined();
  expect(job.problemOf(replyOf("200", Buffer.from("done.")))).toContain("not");
});

test("a computed number is right only if it is where the seed leads in so many turns", () => {
  const turns = 1_000;
  const job = createSlotJob({ kind: "compute", turns }, 3, 8);
  const payload = Buffer.from(job.next());
  expect(payload.readUInt32LE(4)).toBe(turns);
  let value = payload.readUInt32LE(0);
  for (let turn = 0; turn < turns; turn++) value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
  const reply = Buffer.alloc(4);
  reply.writeUInt32LE(value);
  expect(job.problemOf(replyOf("200", reply))).toBeUndefined();
  reply.writeUInt32LE((value + 1) >>> 0);
  expect(job.problemOf(replyOf("200", reply))).toContain("the number after");
});

test("a shared key may hold any slot's value, but a whole one", () => {
  const spec = { ...KV, keys: 1, shared: true } as const;
  const [mine, others] = [createSlotJob(spec, 0, 2), createSlotJob(spec, 1, 2)];
  const valueOf = (payload: Uint8Array): string => Buffer.from(payload).toString().split("\n")[2] ?? "";
  mine.next();
  const written = valueOf(others.next());
  expect(mine.problemOf(replyOf("200", Buffer.from(written)))).toBeUndefined();
  expect(mine.problemOf(replyOf("200", Buffer.from(`${written.slice(0, -1)}!`)))).toContain("holds");
  expect(mine.problemOf(replyOf("404", Buffer.alloc(0)))).toContain("status 404");
});

test("the requests of a mix go to the plugins in turn", () => {
  expect(subjectsOf({ subject: "rpc.bench-*.echo", targets: 3, concurrency: 1 })).toEqual([
    "rpc.bench-0.echo",
    "rpc.bench-1.echo",
    "rpc.bench-2.echo",
  ]);
  expect(subjectsOf({ subject: "rpc.bench.echo", concurrency: 1 })).toEqual(["rpc.bench.echo"]);
});
