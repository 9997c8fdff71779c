import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { childrenOf, forgetPeak, parseMemory, parseStat, usageOf } from "../../../bench/processes/process-usage.ts";
import { keepOutput } from "../child-output.ts";

const HELD_BYTES = 64 * 1024 * 1024;
/** Memory that V8 does not keep for later when it is let go. */
const HOLD_AND_LET_GO = `
  let held = new Uint8Array(${HELD_BYTES}).fill(1);
  held = held.buffer.transfer(0);
  process.stdin.resume();
  process.stdout.write("ready");
`;

const onLinux = test.runIf(process.platform === "linux");

test("CPU time and parent are read whatever the program calls itself", () => {
  const line = "4242 (a) b (c d)) S 17 4242 4242 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 11 0 1 2 3\n";
  expect(parseStat(line)).toEqual({ parent: 17, cpuSeconds: 3 });
});

test("resident memory is read in bytes, and is 0 for a process that has ended", () => {
  expect(parseMemory("VmRSS", "Name:\tx\nVmHWM:\t   999 kB\nVmRSS:\t    2048 kB\nThreads:\t1\n")).toBe(2 * 1024 * 1024);
  expect(parseMemory("VmHWM", "Name:\tx\nVmHWM:\t   999 kB\nVmRSS:\t    2048 kB\n")).toBe(999 * 1024);
  expect(parseMemory("VmRSS", "Name:\tx\nState:\tZ (zombie)\n")).toBe(0);
});

onLinux("a process that computes is seen to use CPU time and memory", async () => {
  const before = await usageOf(process.pid);
  const start = process.cpuUsage();
  const usedMicros = (): number => {
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  while (usedMicros() < 100_000) Math.sqrt(2);
  const after = await usageOf(process.pid);
  expect((after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0)).toBeGreaterThanOrEqual(0.08);
  expect(after?.rssBytes).toBeGreaterThan(10 * 1024 * 1024);
});

onLinux("a child is found while it runs and not after its end", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "pipe"] });
  keepOutput(child.stderr);
  const pid = child.pid;
  expect(pid).toBeDefined();
  expect(await childrenOf(process.pid)).toContain(pid);
  child.stdin.end();
  await once(child, "exit");
  expect(await childrenOf(process.pid)).not.toContain(pid);
  expect(await usageOf(pid ?? 0)).toBeUndefined();
});

onLinux("a peak is forgotten, and counted anew", async () => {
  const child = spawn(process.execPath, ["-e", HOLD_AND_LET_GO], { stdio: ["pipe", "pipe", "pipe"] });
  keepOutput(child.stderr);
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  const before = await usageOf(pid);
  const isForgotten = await forgetPeak(pid);
  const after = await usageOf(pid);
  child.stdin.end();
  await once(child, "exit");
  expect(before?.peakBytes).toBeGreaterThan((before?.rssBytes ?? 0) + HELD_BYTES / 2);
  // Not every system permits it.
  expect((after?.peakBytes ?? 0) < (before?.peakBytes ?? 0) - HELD_BYTES / 2).toBe(isForgotten);
});

test("a peak that cannot be forgotten is not an error", async () => {
  await expect(forgetPeak(2 ** 30)).resolves.toBe(false);
});
