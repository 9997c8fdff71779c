/**
 * A runner that has gone wrong, as one that a plugin took over would be: it speaks the channel's protocol, and
 * breaks it in the way that its argument names.
 */

import { Socket } from "node:net";
import { RUNNER_CHANNEL_FD } from "../../../../src/contract/artifact.ts";
import { Channel } from "../../../../src/channel/channel.ts";
import { type HostMessage, RUNNER_SIDE, type RunnerMessage } from "../../../../src/channel/messages/messages.ts";

const MIB = 1024 * 1024;
const MOST = { lines: 0xffff_ffff, bytes: 0xffff_ffff, missedBytes: 0xffff_ffff, missedLines: 0xffff_ffff };
const socket = new Socket({ fd: RUNNER_CHANNEL_FD });
const hoard: Buffer[] = [];
let results = 0;
let overloaded = 0;

/** Sends for ever, without giving anything else a turn. */
function flood(message: RunnerMessage): void {
  setInterval(() => {
    for (let sent = 0; sent < 1_000; sent++) channel.send(message);
  }, 0);
}

function readOf(call: number, op: number): RunnerMessage {
  return { kind: "key-value", call, op, operation: { kind: "get", bucket: "b", key: "k" } };
}

function writeOf(call: number, op: number, value: Uint8Array): RunnerMessage {
  return { kind: "key-value", call, op, operation: { kind: "set", bucket: "b", key: "k", value } };
}

let over = 0;

const ACTS: Readonly<Record<string, (message: HostMessage) => void>> = {
  "logs without end": (message) => {
    if (message.kind === "request") flood({ kind: "log", call: message.call, level: "info", message: "x" });
  },
  "asks without end": (message) => {
    if (message.kind === "request") flood(readOf(message.call, 1));
  },
  "drops without end": (message) => {
    if (message.kind === "request") flood({ kind: "dropped", call: message.call, dropped: MOST });
  },
  "lies about what it dropped": (message) => {
    if (message.kind !== "request") return;
    for (let told = 0; told < 100; told++) channel.send({ kind: "dropped", call: message.call, dropped: MOST });
    channel.send({ kind: "response", call: message.call, response: { status: 200, body: Buffer.alloc(0) } });
  },
  "speaks of a stranger": () => channel.send({ kind: "log", call: 9_999, level: "info", message: "x" }),
  "answers what nobody asked": () => channel.send({ kind: "pong", nonce: 77 }),
  "goes on after its pong": (message) => {
    if (message.kind !== "ping") return;
    channel.send({ kind: "pong", nonce: message.nonce });
    channel.send({ kind: "log", call: 1, level: "info", message: "x" });
  },
  "is busy with other things": (message) => {
    if (message.kind === "request") {
      setInterval(() => channel.send(readOf(1, 1)), 200);
    }
  },
  "floods stderr": (message) => {
    if (message.kind === "request") setInterval(() => process.stderr.write("x".repeat(64 * 1024)), 0);
  },
  "takes memory": (message) => {
    if (message.kind === "request") setInterval(() => hoard.push(Buffer.alloc(16 * MIB, 1)), 10);
  },
  "reads large values": (message) => {
    if (message.kind === "request") {
      channel.send(readOf(message.call, message.call));
      // Nothing is read from here on.
      socket.pause();
    }
  },
  "writes large values": (message) => {
    if (message.kind === "request") {
      const value = Buffer.alloc(15 * MIB);
      channel.send(writeOf(message.call, message.call, value));
    }
    if (message.kind !== "key-value-result") return;
    results += 1;
    if (message.result.kind === "error") overloaded += 1;
    if (message.result.kind === "error" && results === 1) return;
    channel.send({ kind: "response", call: message.op, response: { status: overloaded, body: Buffer.alloc(0) } });
  },
  "writes for a call that is over": (message) => {
    if (message.kind === "request") over = message.call;
    // The host hears of this once it has cancelled the call, and before it hears the pong, which never comes.
    if (message.kind === "ping") channel.send(writeOf(over, 5, Buffer.alloc(1)));
    if (message.kind === "key-value-result" && message.op === 5)
      channel.send({ kind: "failed", message: message.result.kind, isLasting: true });
  },
  "computes in its first call": (message) => {
    if (message.kind === "ping") channel.sendNow({ kind: "pong", nonce: message.nonce });
    if (message.kind === "request" && message.request.method === "loop") for (;;);
    if (message.kind === "request" && message.request.method === "echo")
      channel.send({ kind: "response", call: message.call, response: { status: 200, body: Buffer.alloc(0) } });
  },
  "does not read": () => undefined,
};

const act = ACTS[process.argv[2] ?? ""];
const channel: Channel<HostMessage, RunnerMessage> = new Channel(socket, RUNNER_SIDE, {
  receive(message) {
    act?.(message);
    return undefined;
  },
  violated: () => process.exit(2),
  error: () => process.exit(2),
  close: () => process.exit(0),
});
if (process.argv[2] === "does not read") socket.pause();
channel.send({ kind: "ready" });
setInterval(() => undefined, 1_000);
