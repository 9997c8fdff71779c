/**
 * The requests of one slot and what their replies must be.
 *
 * @module
 */

import type { Msg } from "nats";
import type { JobSpec } from "../jobs/load-spec.ts";

/** A slot's requests, one at a time. */
export interface SlotJob {
  /** Payload of the slot's next request. */
  next(): Uint8Array;
  /** Why the reply to the last request is wrong, if it is. */
  problemOf(reply: Msg): string | undefined;
}

const SHOWN_CHARACTERS = 100;

export function createSlotJob(spec: JobSpec, slot: number, slots: number): SlotJob {
  switch (spec.kind) {
    case "echo":
      return createEcho(spec, slot);
    case "fixed":
      return createFixed(spec);
    case "compute":
      return createCompute(spec, slot);
    case "kv":
      return spec.shared === true ? createSharedKeys(spec, slot) : createKeyValue(spec, slot, slots);
  }
}

function createEcho({ bytes }: JobSpec & { kind: "echo" }, slot: number): SlotJob {
  let count = 0;
  let payload: Buffer = Buffer.alloc(0);
  return {
    next() {
      count += 1;
      payload = padded(`${slot}/${count} `, bytes);
      return payload;
    },
    problemOf: (reply) =>
      statusProblem(reply, "200") ??
      (payload.equals(reply.data) ? undefined : `the reply to ${shown(payload)} is ${shown(reply.data)}`),
  };
}

function createKeyValue(spec: JobSpec & { kind: "kv" }, slot: number, slots: number): SlotJob {
  if (slots > spec.keys) throw new RangeError(`${slots} slots need at least as many keys, not ${spec.keys}`);
  const written = new Map<number, Buffer>();
  let count = 0;
  let current = slot - slots;
  let value: Buffer = Buffer.alloc(0);
  return {
    next() {
      current = current + slots < spec.keys ? current + slots : slot;
      count += 1;
      value = padded(`key-${current} ${count} `, spec.bytes);
      return Buffer.concat([Buffer.from(`${spec.bucket}\nkey-${current}\n`), value]);
    },
    problemOf(reply) {
      const earlier = written.get(current);
      written.set(current, value);
      const isMissing = reply.headers?.get("Rpc-Status") === "404" && reply.data.length === 0;
      if (earlier === undefined && spec.filling === true && isMissing) return undefined;
      const problem = statusProblem(reply, "200");
      if (problem !== undefined) return problem;
      const isRight =
        earlier === undefined
          ? reply.data.length === spec.bytes && reply.string().startsWith(`key-${current} `)
          : earlier.equals(reply.data);
      return isRight ? undefined : `key-${current} holds ${shown(reply.data)}`;
    },
  };
}

function createSharedKeys(spec: JobSpec & { kind: "kv" }, slot: number): SlotJob {
  let count = 0;
  let current = slot % spec.keys;
  const valueOf = (by: number | string, count: number | string): Buffer =>
    padded(`key-${current} ${by}/${count} `, spec.bytes);
  return {
    next() {
      current = (current + 1) % spec.keys;
      count += 1;
      return Buffer.concat([Buffer.from(`${spec.bucket}\nkey-${current}\n`), valueOf(slot, count)]);
    },
    problemOf(reply) {
      const isMissing = reply.headers?.get("Rpc-Status") === "404" && reply.data.length === 0;
      if (spec.filling === true && isMissing) return undefined;
      const problem = statusProblem(reply, "200");
      if (problem !== undefined) return problem;
      const [, by, number] = /^key-\d+ (\d+)\/(\d+) /.exec(reply.string()) ?? [];
      const isWhole = by !== undefined && number !== undefined && valueOf(by, number).equals(reply.data);
      return isWhole ? undefined : `key-${current} holds ${shown(reply.data)}`;
    },
  };
}

function createFixed({ payload, reply: wanted }: JobSpec & { kind: "fixed" }): SlotJob {
  const bytes = Buffer.from(payload);
  return {
    next: () => bytes,
    problemOf: (reply) =>
      statusProblem(reply, "200") ??
      (reply.string() === wanted ? undefined : `the reply is ${shown(reply.data)}, not ${JSON.stringify(wanted)}`),
  };
}

const FACTOR = 1_664_525;
const INCREMENT = 1_013_904_223;

function createCompute({ turns }: JobSpec & { kind: "compute" }, slot: number): SlotJob {
  // What all turns together do: the number that a seed leads to is had at once.
  let [factor, increment] = [1, 0];
  for (let turn = 0; turn < turns; turn++) {
    factor = Math.imul(factor, FACTOR);
    increment = (Math.imul(increment, FACTOR) + INCREMENT) | 0;
  }
  let count = 0;
  let seed = 0;
  return {
    next() {
      count += 1;
      seed = ((slot << 22) ^ count) >>> 0;
      const payload = Buffer.alloc(8);
      payload.writeUInt32LE(seed);
      payload.writeUInt32LE(turns, 4);
      return payload;
    },
    problemOf(reply) {
      const wanted = Buffer.alloc(4);
      wanted.writeUInt32LE((Math.imul(seed, factor) + increment) >>> 0);
      return (
        statusProblem(reply, "200") ??
        (wanted.equals(reply.data) ? undefined : `the number after ${seed} is ${shown(reply.data)}`)
      );
    },
  };
}

function padded(text: string, bytes: number): Buffer {
  return Buffer.from(text.padEnd(bytes, ".").slice(0, bytes));
}

function statusProblem({ headers }: Msg, wanted: string): string | undefined {
  const status = headers?.get("Rpc-Status");
  if (status === wanted) return undefined;
  if (status) return `status ${status}, not ${wanted}`;
  const code = headers?.get("Rpc-Error");
  if (code) return `the reply is the error ${code}: ${headers?.get("Nats-Service-Error")}`;
  return headers?.code === 503 ? "nobody listens on the subject" : "the reply has no status";
}

function shown(data: Uint8Array): string {
  return JSON.stringify(Buffer.from(data).toString("utf8").slice(0, SHOWN_CHARACTERS));
}
