import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Channel, type ChannelHandlers } from "../../../src/channel/channel.ts";
import { FrameWriter } from "../../../src/channel/frame-writer.ts";
import { encodeMessage, type HostMessage } from "../../../src/channel/messages.ts";
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
  for (let nonce = 1; nonce <= count; nonce += 1) encodeMessage({ kind: "pong", nonce }, writer);
  return Buffer.concat(writer.take());
}

function computeFor(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

function channelOn(socket: Socket, handlers: Partial<ChannelHandlers>, pace?: Pace): Channel<HostMessage> {
  const none = (): void => undefined;
  return new Channel<HostMessage>(socket, { frame: none, error: none, close: none, ...handlers }, pace);
}

describe("what is sent within one tick", () => {
  function sendPings(channel: Channel<HostMessage>, count: number): void {
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
    channelOn(theirs, {
      frame: (_kind, payload) => {
        arrived.push(payload.u32());
        if (arrived.length === count) done.resolve();
      },
    });
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
    channelOn(other.ours, { frame: () => events.push("other") }, SHORT_TURNS);
    channelOn(
      flooded.ours,
      {
        frame: (_kind, payload) => {
          // The other one's frame is there from now on.
          if (events.length === 0) other.theirs.write(pongs(1));
          computeFor(FRAME_MS);
          const nonce = payload.u32();
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
    channelOn(other.ours, { frame: () => events.push("other") }, SHORT_TURNS);
    const frame = (): void => {
      if (events.length === 0) other.theirs.write(pongs(1));
      computeFor(20 * TURN_MS);
      events.push("slow");
      if (events.filter((event) => event === "slow").length === 8) done.resolve();
    };
    channelOn(flooded.ours, { frame }, SHORT_TURNS);
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
    channelOn(ours, { frame, close: closed.resolve }, SHORT_TURNS);
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
    channelOn(ours, { frame, error: failed.resolve }, SHORT_TURNS);
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
        frame: () => {
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
    channelOn(ours, { frame }, SHORT_TURNS);
    for (const { promise } of caughtUp) {
      theirs.write(pongs(FLOOD));
      await promise;
    }
    expect(frames).toBe(2 * FLOOD);
  });
});

test("a frame that breaks the layout is an error also where it comes in a later turn", async () => {
  const { ours, theirs } = await connection();
  const failed = Promise.withResolvers<Error>();
  channelOn(ours, { frame: () => computeFor(FRAME_MS), error: failed.resolve }, SHORT_TURNS);
  theirs.write(Buffer.concat([pongs(FLOOD), Buffer.from([0xff, 0xff, 0xff, 0xff, 1])]));
  expect((await failed.promise).message).toContain("too large");
});
