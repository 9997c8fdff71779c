import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildArtifact } from "./artifacts.ts";
import { ENGINES, dueIn, RunnerChild } from "./runner-child.ts";

let artifactDir: string;
beforeAll(async () => {
  artifactDir = await buildArtifact("actor");
});

describe.each(ENGINES)("the runner's process, on the %s engine", (engine) => {
  it("answers a ping while requests are suspended", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    runner.begin("get", Buffer.from("key"));
    await runner.settle(7);
    expect(runner.received).toContainEqual({ kind: "pong", nonce: 7 });
  });

  it("ends with code 0 when the host closes the channel, even with requests suspended", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    runner.begin("get", Buffer.from("key"));
    await runner.until(({ kind }) => kind === "key-value");
    runner.channel.close();
    expect(await runner.exited).toBe(0);
  });

  it.each([
    ["an unknown kind", Buffer.from([0, 0, 0, 0, 99])],
    ["a field beyond its frame", Buffer.from([4, 0, 0, 0, 1, 0xff, 0xff, 0xff])],
    ["bytes left over", Buffer.from([5, 0, 0, 0, 1, 1, 0, 0, 0, 0])],
    ["an oversize length", Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
  ])("ends with code 2 and a line on stderr after a frame with %s", async (_, frame) => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    runner.socket.write(frame);
    // A frame whose fields are short of bytes is only whole once these have come.
    runner.socket.write(Buffer.alloc(16));
    expect(await runner.exited).toBe(2);
    expect(runner.stderr).toMatch(/^runner: .+\n$/);
  });

  it("ends with code 2 when a call's number is in use", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    const call = runner.begin("get", Buffer.from("key"));
    runner.channel.send({ kind: "probe", call, due: dueIn(60_000) });
    expect(await runner.exited).toBe(2);
  });

  it("says why and ends with code 1 when the artifact cannot be loaded", async () => {
    const broken = await buildArtifact("actor");
    const entry = engine === "jco" ? "component.js" : "component.plan.json";
    await rm(join(broken, entry));
    await using runner = new RunnerChild({ engine, artifactDir: broken });
    expect(await runner.until(({ kind }) => kind === "failed")).toMatchObject({
      message: expect.stringContaining(entry) as string,
    });
    expect(await runner.exited).toBe(1);
  });

  it("says why and ends with code 1 when an instance cannot be made", async () => {
    const trapping = await buildArtifact("actor", {
      editModule: (text) => text.replace(/\)\s*$/, "(func $start (unreachable)) (start $start))"),
    });
    await using runner = new RunnerChild({ engine, artifactDir: trapping });
    expect(await runner.until(({ kind }) => kind === "failed")).toMatchObject({
      message: expect.stringContaining("unreachable") as string,
    });
    expect(await runner.exited).toBe(1);
  });

  it("outlives the signals that a terminal sends to the whole group", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    runner.process.kill("SIGINT");
    runner.process.kill("SIGTERM");
    expect((await runner.call("echo")).outcome.kind).toBe("response");
  });

  it("unwinds a cancelled request without running any of its code", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    const call = runner.begin("Catch");
    await runner.until((message) => message.kind === "key-value" && message.call === call);
    runner.channel.send({ kind: "cancel", call });
    // Did the guest run on, it would compute for ever and the ping would stay unanswered.
    await runner.settle(1);
    const waiting = runner.begin("wait", Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x10]));
    await runner.settle(2);
    runner.channel.send({ kind: "cancel", call: waiting });
    await runner.settle(3);
    expect((await runner.call("echo")).outcome.kind).toBe("response");
  });

  it("lets go of the instances of cancelled requests", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    // 16 MiB each: 1.6 GiB in all, were they kept.
    for (let request = 0; request < 100; request++) {
      const call = runner.begin("Keep");
      await runner.until((message) => message.kind === "key-value" && message.call === call);
      runner.channel.send({ kind: "cancel", call });
    }
    await runner.settle(1);
    const status = await readFile(`/proc/${runner.process.pid}/status`, "utf8");
    const peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
    expect(peakKib).toBeLessThan(1024 * 1024);
  });
});
