import { expect, test } from "vitest";
import { type WatchedProcess } from "../../../bench/processes/process-usage.ts";
import { watchProcesses } from "../../../bench/processes/process-watch.ts";

const onLinux = test.runIf(process.platform === "linux");

function compute(micros: number): void {
  const start = process.cpuUsage();
  const used = (): number => {
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  while (used() < micros) Math.sqrt(2);
}

onLinux("what a process used is shared out over the requests, with its memory now and at its highest", async () => {
  const end = await watchProcesses(async () => [{ role: "host", pid: process.pid }]);
  compute(100_000);
  const [cost, ...others] = await end(1_000);
  expect(others).toEqual([]);
  expect(cost?.role).toBe("host");
  // A tenth of a second for a thousand requests is a second for ten thousand; the kernel counts in hundredths.
  expect(cost?.cpuSecondsPer10k).toBeGreaterThanOrEqual(0.8);
  expect(cost?.peakBytes).toBeGreaterThanOrEqual(cost?.rssBytes ?? Number.NaN);
});

onLinux("a process that begins meanwhile counts from its start", async () => {
  compute(100_000);
  let processes: WatchedProcess[] = [];
  const end = await watchProcesses(async () => processes);
  processes = [{ role: "runner", pid: process.pid }];
  const [cost] = await end(1_000);
  expect(cost?.cpuSecondsPer10k).toBeGreaterThanOrEqual(0.8);
});

onLinux("processes of one role are added up, and those that are gone are left out", async () => {
  const own = { role: "host", pid: process.pid };
  const once = await (await watchProcesses(async () => [own]))(1);
  const twice = await (await watchProcesses(async () => [own, own, { role: "gone", pid: 2 ** 30 }]))(1);
  expect(twice).toHaveLength(1);
  expect(twice[0]?.rssBytes).toBeGreaterThan(1.5 * (once[0]?.rssBytes ?? Number.NaN));
});
