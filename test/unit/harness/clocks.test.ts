import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "../../../src/local-nats/free-port.ts";
import { OwnTime, smallestOf, threadCpuMs } from "../../harness/clocks.ts";
import { until } from "../../../scripts/lib/until.ts";

test("a process's own time stops while the process does, and goes on with it", async () => {
  using time = new OwnTime();
  const before = time.elapsedMs;
  for (const endMs = performance.now() + 500; performance.now() < endMs;);
  expect(time.elapsedMs - before).toBeLessThan(250);
  await until(() => time.elapsedMs - before > 250, { what: "it goes on" });
});

test("CPU time passes where the thread computes, and not where it waits", async () => {
  const before = threadCpuMs();
  while (threadCpuMs() - before < 20) Math.sqrt(2);
  const [startMs, computedMs] = [performance.now(), threadCpuMs()];
  await until(() => performance.now() - startMs > 1_000, { what: "a second has passed", intervalMs: 500 });
  expect(threadCpuMs() - computedMs).toBeLessThan(500);
});

test("the smallest of some measurements is looked for until one is within the bound, and not for ever", async () => {
  const measured: number[] = [];
  const measure = async (): Promise<number> => {
    measured.push(9 - measured.length);
    return measured.at(-1) ?? 0;
  };
  expect(await smallestOf(7, measure)).toBe(7);
  expect(measured).toEqual([9, 8, 7]);
  let tries = 0;
  expect(await smallestOf(0, async () => (tries += 1))).toBe(1);
  expect(tries).toBeLessThan(100);
});

test("a free port is not one of those that systems give out by themselves, and one that is taken is refused", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
  }
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await expect(freePort(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  await new Promise((resolve) => server.close(resolve));
});
