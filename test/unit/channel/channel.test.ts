import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Channel, type ChannelHandlers } from "../../../src/channel/channel.ts";
import { FrameWriter } from "../../../src/channel/frame-writer.ts";
import {
  HOST_SIDE,
  type HostMessage,
  RUNNER_SIDE,
  type RunnerMessage,
} from "../../../src/channel/messages/messages.ts";
import { Violation } from "../../../src/channel/violation.ts";
import type { Pace } from "../../../src/scheduling/pace.ts";

const TURN_MS = 1;
/** Frames of one chunk, each of which takes its handler so long that the chunk takes many turns. */
const FLOOD = 2_000;
const FRAME_MS = 0.05;

/** Turns as short as that, one behind the other. */
const SHORT_TURNS: Pace = {
  turnMs: () => TURN_MS,
  spend: () => undefined,
  rest(callback) {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

const opened: Socket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** Both ends of a connection. */
async function connection(): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const theirs = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  server.close();
  opened.push(ours, theirs);
  return { ours, theirs };
}

function pongs(count: number): Buffer {
  const writer = new FrameWriter();
  for (let nonce = 1; nonce <= count; nonce += 1) RUNNER_SIDE.encode({ kind: "pong", nonce }, writer);
  return Buffer.concat(writer.take());
}

function computeFor(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

type HostChannel = Channel<RunnerMessage, HostMessage>;

function channelOn(
  socket: Socket,
  {
    receive,
    ...handlers
  }: Partial<Omit<ChannelHandlers<RunnerMessage>, "receive">> & { receive?: (nonce: number) => void },
  pace?: Pace,
): HostChannel {
  const none = (): undefined => undefined;
  const taken = (message: RunnerMessage): undefined => {
    if (message.kind === "pong") receive?.(message.nonce);
  };
  return new Channel(
    socket,
    HOST_SIDE,
    { receive: taken, violated: none, error: none, close: none, ...handlers },
    pace,
  );
}

describe("what is sent within one tick", () => {
  function sendPings(channel: HostChannel, count: number): void {
    for (let nonce = 1; nonce <= count; nonce += 1) channel.send({ kind: "ping", nonce });
  }

  test("leaves at its end, in one write", async () => {
    const { ours } = await connection();
    const writes = vi.spyOn(ours, "write");
    sendPings(channelOn(ours, {}), 3);
    expect(writes).not.toHaveBeenCalled();
    await turn();
    expect(writes).toHaveBeenCalledTimes(1);
  });

  test("leaves in pieces where it is a long burst: whole, once and in order", async () => {
    const [{ ours, theirs }, count] = [await connection(), 1_000];
    const arrived: number[] = [];
    const done = Promise.withResolvers<void>();
    const takePings = (message: HostMessage): undefined => {
      if (message.kind === "ping") arrived.push(message.nonce);
      if (arrived.length === count) done.resolve();
    };
    const none = (): undefined => undefined;
    const handlers = { receive: takePings, violated: none, error: none, close: none };
    void new Channel<HostMessage, RunnerMessage>(theirs, RUNNER_SIDE, handlers);
    sendPings(channelOn(ours, {}), count);
    // The first pieces are on their way before the last frame was sent.
    expect(ours.bytesWritten).toBeGreaterThan(0);
    await done.promise;
    expect(arrived).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  });
});

describe("a channel that brings more than fits its turn", () => {
  test("lets another one have its own in between, and loses nothing and no order", async () => {
    const [flooded, other] = await Promise.all([connection(), connection()]);
    const events: (number | "other")[] = [];
    const done = Promise.withResolvers<void>();
    channelOn(other.ours, { receive: () => events.push("other") }, SHORT_TURNS);
    channelOn(
      flooded.ours,
      {
        receive: (nonce) => {
          // The other one's frame is there from now on.
          if (events.length === 0) other.theirs.write(pongs(1));
          computeFor(FRAME_MS);
          events.push(nonce);
          if (nonce === FLOOD) done.resolve();
        },
      },
      SHORT_TURNS,
    );
    flooded.theirs.write(pongs(FLOOD));
    await done.promise;
    expect(events.indexOf("other")).toBeGreaterThan(0);
    expect(events.indexOf("other")).toBeLessThan(FLOOD / 2);
    expect(events.filter((event) => event !== "other")).toEqual(Array.from({ length: FLOOD }, (_, at) => at + 1));
  });

  test("rests behind each frame that is a turn of its own", async () => {
    const [flooded, other] = await Promise.all([connection(), connection()]);
    const events: string[] = [];
    const done = Promise.withResolvers<void>();
    channelOn(other.ours, { receive: () => events.push("other") }, SHORT_TURNS);
    const frame = (): void => {
      if (events.length === 0) other.theirs.write(pongs(1));
      computeFor(20 * TURN_MS);
      events.push("slow");
      if (events.filter((event) => event === "slow").length === 8) done.resolve();
    };
    channelOn(flooded.ours, { receive: frame }, SHORT_TURNS);
    flooded.theirs.write(pongs(8));
    await done.promise;
    expect(events.indexOf("other")).toBeGreaterThan(0);
    expect(events.indexOf("other")).toBeLessThan(8);
  });

  test("is closed only when all that was sent before has been delivered", async () => {
    const { ours, theirs } = await connection();
    const closed = Promise.withResolvers<void>();
    let frames = 0;
    const frame = (): void => {
      computeFor(FRAME_MS);
      frames += 1;
    };
    channelOn(ours, { receive: frame, close: closed.resolve }, SHORT_TURNS);
    theirs.end(pongs(FLOOD));
    await closed.promise;
    expect(frames).toBe(FLOOD);
  });

  test("fails only when all that arrived before has been delivered", async () => {
    const { ours, theirs } = await connection();
    const failed = Promise.withResolvers<Error>();
    let frames = 0;
    const frame = (): void => {
      computeFor(FRAME_MS);
      frames += 1;
      // As a process that is killed leaves its socket, while the rest of its frames waits for the next turn.
      if (frames === 1) ours.destroy(new Error("reset"));
    };
    channelOn(ours, { receive: frame, error: failed.resolve }, SHORT_TURNS);
    theirs.write(pongs(FLOOD));
    await failed.promise;
    expect(frames).toBe(FLOOD);
  });

  test("delivers nothing more once it is destroyed", async () => {
    const { ours, theirs } = await connection();
    let frames = 0;
    const gone = once(ours, "close");
    const channel = channelOn(
      ours,
      {
        receive: () => {
          computeFor(FRAME_MS);
          frames += 1;
          if (frames === 100) channel.destroy();
        },
      },
      SHORT_TURNS,
    );
    theirs.write(pongs(FLOOD));
    await gone;
    expect(frames).toBe(100);
  });

  test("is read from again when it has caught up", async () => {
    const { ours, theirs } = await connection();
    let frames = 0;
    const caughtUp = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const frame = (): void => {
      computeFor(FRAME_MS);
      frames += 1;
      if (frames % FLOOD === 0) caughtUp[frames / FLOOD - 1]?.resolve();
    };
    channelOn(ours, { receive: frame }, SHORT_TURNS);
    for (const { promise } of caughtUp) {
      theirs.write(pongs(FLOOD));
      await promise;
    }
    expect(frames).toBe(2 * FLOOD);
  });
});

test("a frame that breaks the layout is a violation also where it comes in a later turn", async () => {
  const { ours, theirs } = await connection();
  const violated = Promise.withResolvers<Violation>();
  channelOn(ours, { receive: () => computeFor(FRAME_MS), violated: violated.resolve }, SHORT_TURNS);
  theirs.write(Buffer.concat([pongs(FLOOD), Buffer.from([0xff, 0xff, 0xff, 0xff, 0])]));
  expect((await violated.promise).reason).toContain("too large");
});

test("a message that its receiver does not allow closes the channel: nothing behind it is taken, and one is told", async () => {
  const { ours, theirs } = await connection();
  const told: string[] = [];
  const closed = once(ours, "close");
  const handlers: ChannelHandlers<RunnerMessage> = {
    receive(message) {
      told.push(message.kind === "pong" ? `pong ${message.nonce}` : message.kind);
      return told.length === 2 ? new Violation("enough") : undefined;
    },
    violated: ({ reason }) => told.push(reason),
    error: () => told.push("error"),
    close: () => told.push("close"),
  };
  const channel = new Channel(ours, HOST_SIDE, handlers);
  theirs.write(pongs(5));
  await closed;
  channel.send({ kind: "ping", nonce: 1 });
  expect(told).toEqual(["pong 1", "pong 2", "enough"]);
});
