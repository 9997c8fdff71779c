import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BatchStats } from "../../../src/telemetry/batch-stats.ts";
import { FolderSize } from "../../../src/telemetry/folder-size.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { type ReplicaFacts, replicaMetrics } from "../../../src/telemetry/replica-metrics.ts";

function render(facts: Partial<ReplicaFacts>): Promise<string> {
  const section = replicaMetrics({
    version: "1.2.3",
    storeUp: () => true,
    droppedLogRecords: () => ({ "slow-reader": 0, "write-failed": 0 }),
    cacheBytes: () => undefined,
    cacheFallenBack: () => false,
    ...facts,
  });
  return createMetrics({ plugins: () => [], storeBatches: new BatchStats(), unusableFiles: () => 0 }, [
    section,
  ]).render();
}

describe("metrics of the replica", () => {
  test("say what runs, whether the store is up, which records were dropped and what the cache takes", async () => {
    const lines = (
      await render({
        storeUp: () => false,
        droppedLogRecords: () => ({ "slow-reader": 2, "write-failed": 3 }),
        cacheBytes: () => 4_096,
        cacheFallenBack: () => true,
      })
    ).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        `network_host_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
        "network_host_store_up 0",
        'network_host_log_records_dropped_total{reason="slow-reader"} 2',
        'network_host_log_records_dropped_total{reason="write-failed"} 3',
        "network_host_cache_bytes 4096",
        "network_host_cache_fallback 1",
      ]),
    );
  });

  test("leave out what was never measured", async () => {
    const text = await render({});
    expect(text).toMatch(/^network_host_store_up 1$/m);
    expect(text).not.toMatch(/^network_host_cache_bytes /m);
  });
});

describe("a folder's size", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "folder-"));
    await mkdir(join(folder, "inner", "most"), { recursive: true });
    await writeFile(join(folder, "a"), "x".repeat(1_000));
    await writeFile(join(folder, "inner", "most", "b"), "x".repeat(24));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("is not known before it was measured, and is that of all files below it then", async () => {
    const size = new FolderSize(folder);
    expect(size.bytes).toBeUndefined();
    await size.measure();
    expect(size.bytes).toBe(1_024);
  });

  test("stays what it was when the folder is gone", async () => {
    const path = join(folder, "passing");
    await mkdir(path);
    await writeFile(join(path, "c"), "xyz");
    const size = new FolderSize(path);
    await size.measure();
    await rm(path, { recursive: true });
    await size.measure();
    expect(size.bytes).toBe(3);
  });
});
