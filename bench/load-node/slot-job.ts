/**
 * The requests of one slot and what their replies must be.
 *
 * @module
 */

import type { Msg } from "nats";
import type { JobSpec } from "../load-spec.ts";

/** A slot's requests, one at a time. */
export interface SlotJob {
  /** Payload of the slot's next request. */
  next(): Uint8Array;
  /** Why the reply to the last request is wrong, if it is. */
  problemOf(reply: Msg): string | undefined;
}

const SHOWN_CHARACTERS = 100;

export function createSlotJob(spec: JobSpec, slot: number, slots: number): SlotJob {
  return spec.kind === "echo" ? createEcho(spec, slot) : createKeyValue(spec, slot, slots);
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
