import { describe, expect, test } from "vitest";
import type { PluginName } from "../../../src/contract/names.ts";
import { BATCH_OPERATIONS, BatchStats } from "../../../src/telemetry/batch-stats.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { natsMetrics } from "../../../src/telemetry/nats-metrics.ts";
import { NatsStats } from "../../../src/telemetry/nats-stats.ts";
import { DURATION_BUCKETS_MS, PluginStats } from "../../../src/telemetry/plugin-stats.ts";

function statsOf(name = "echo"): PluginStats {
  return new PluginStats(name as PluginName);
}

function metricsOf(plugins: readonly PluginStats[], storeBatches = new BatchStats()): Metrics {
  return createMetrics({ plugins: () => plugins, storeBatches, unusableFiles: () => 2 });
}

async function scrape(...plugins: PluginStats[]): Promise<string[]> {
  return (await metricsOf(plugins).render()).split("\n");
}

describe("PluginStats", () => {
  test("counts requests by outcome, and those in flight", () => {
    const stats = statsOf();
    stats.begin();
    stats.begin();
    expect(stats.inFlight).toBe(2);
    stats.end("ok", 1);
    stats.end("plugin-trapped", 1);
    stats.refuse("overloaded");
    expect(stats.inFlight).toBe(0);
    expect(stats.shed).toBe(1);
    expect(Object.fromEntries(stats.outcomes)).toEqual({ ok: 1, "plugin-trapped": 1, overloaded: 1 });
  });

  test("counts an admitted request whose reply was given up as a dropped message and not as answered", () => {
    const stats = statsOf();
    stats.begin();
    stats.giveUp("reply-expired");
    expect(stats.inFlight).toBe(0);
    expect(Object.fromEntries(stats.outcomes)).toEqual({});
    expect(Object.fromEntries(stats.drops)).toEqual({ "reply-expired": 1 });
    expect(stats.durations().count).toBe(0);
  });

  test("puts a duration into the bucket whose bound it does not exceed", () => {
    const stats = statsOf();
    for (const durationMs of [0, 0.25, 0.26, 10_000, 10_001]) {
      stats.begin();
      stats.end("ok", durationMs);
    }
    const { counts, count, sum } = stats.durations();
    expect(counts).toHaveLength(DURATION_BUCKETS_MS.length + 1);
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 1, 1, 1]);
    expect(count).toBe(5);
    expect(sum).toBeCloseTo(20_001.51);
  });

  test("answers in the form of service statistics, with times in nanoseconds", () => {
    const stats = statsOf();
    expect(stats.endpointStats()).toEqual({
      num_requests: 0,
      num_errors: 0,
      last_error: "",
      processing_time: 0,
      average_processing_time: 0,
    });
    stats.begin();
    stats.end("ok", 2);
    stats.begin();
    stats.end("deadline-exceeded", 4);
    stats.refuse("overloaded");
    expect(stats.endpointStats()).toEqual({
      num_requests: 3,
      num_errors: 2,
      last_error: "429:overloaded",
      processing_time: 6_000_000,
      average_processing_time: 3_000_000,
    });
  });
});

describe("a scrape", () => {
  test("shows each plugin's counts, and reads them anew each time", async () => {
    const echo = statsOf();
    const other = statsOf("other");
    const metrics = metricsOf([echo, other]);
    echo.begin();
    await metrics.render();
    echo.end("ok", 3);
    echo.begin();
    other.refuse("denied");
    other.drop("no-reply-subject");
    other.operation("key-value", "get", "ok");
    other.operation("key-value", "set", "access-denied");
    other.runnerRestarted();
    expect((await metrics.render()).split("\n")).toEqual(
      expect.arrayContaining([
        'network_host_requests_total{plugin="echo",outcome="ok"} 1',
        'network_host_requests_total{plugin="other",outcome="denied"} 1',
        'network_host_in_flight{plugin="echo"} 1',
        'network_host_in_flight{plugin="other"} 0',
        'network_host_dropped_messages_total{plugin="other",reason="no-reply-subject"} 1',
        'network_host_kv_operations_total{plugin="other",operation="get",outcome="ok"} 1',
        'network_host_kv_operations_total{plugin="other",operation="set",outcome="access-denied"} 1',
        'network_host_runner_restarts_total{plugin="other"} 1',
        'network_host_runner_restarts_total{plugin="echo"} 0',
      ]),
    );
  });

  test("shows durations as a cumulative histogram in seconds", async () => {
    const stats = statsOf();
    for (const durationMs of [0.1, 3, 60_000]) {
      stats.begin();
      stats.end("ok", durationMs);
    }
    const lines = (await scrape(stats)).filter((line) => line.includes("duration_seconds"));
    expect(lines).toContain("# TYPE network_host_request_duration_seconds histogram");
    const buckets = lines.filter((line) => line.includes("_bucket"));
    expect(buckets).toHaveLength(DURATION_BUCKETS_MS.length + 1);
    expect(buckets[0]).toBe('network_host_request_duration_seconds_bucket{le="0.00025",plugin="echo"} 1');
    expect(buckets).toContain('network_host_request_duration_seconds_bucket{le="0.005",plugin="echo"} 2');
    expect(buckets.at(-1)).toBe('network_host_request_duration_seconds_bucket{le="+Inf",plugin="echo"} 3');
    expect(lines).toContain('network_host_request_duration_seconds_count{plugin="echo"} 3');
    expect(lines.find((line) => line.includes('_sum{plugin="echo"}'))).toMatch(/ 60\.003/);
  });

  test("shows how many operations and bytes go to the store together, reads and writes apart", async () => {
    const batches = new BatchStats();
    for (const operations of [1, 3, 1_000]) batches.count("get", { operations, bytes: operations * 100 });
    batches.count("set", { operations: 128, bytes: 4_194_305 });
    const lines = (await metricsOf([], batches).render()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "# TYPE network_host_kv_batch_operations histogram",
        'network_host_kv_batch_operations_bucket{le="1",operation="get"} 1',
        'network_host_kv_batch_operations_bucket{le="4",operation="get"} 2',
        `network_host_kv_batch_operations_bucket{le="${BATCH_OPERATIONS.at(-1)}",operation="get"} 2`,
        'network_host_kv_batch_operations_bucket{le="+Inf",operation="get"} 3',
        'network_host_kv_batch_operations_sum{operation="get"} 1004',
        'network_host_kv_batch_operations_bucket{le="64",operation="set"} 0',
        'network_host_kv_batch_operations_bucket{le="128",operation="set"} 1',
        'network_host_kv_batch_bytes_bucket{le="4194304",operation="set"} 0',
        'network_host_kv_batch_bytes_bucket{le="16777216",operation="set"} 1',
        'network_host_kv_batch_bytes_sum{operation="get"} 100400',
        'network_host_kv_batch_bytes_count{operation="get"} 3',
      ]),
    );
  });

  test("shows the connection to NATS, also before there is one", async () => {
    const nats = new NatsStats();
    const source = { plugins: () => [], storeBatches: new BatchStats(), unusableFiles: () => 0 };
    const scrapeNats = async (): Promise<string[]> =>
      (await createMetrics(source, [natsMetrics(nats)]).render())
        .split("\n")
        .filter((line) => line.startsWith("network_host_nats"));
    expect(await scrapeNats()).toEqual(
      expect.arrayContaining([
        "network_host_nats_connected 0",
        'network_host_nats_subscriptions{state="held"} 0',
        "network_host_nats_reconnects_total 0",
        'network_host_nats_permission_errors_total{operation="publish"} 0',
      ]),
    );
    nats.view = {
      isConnected: true,
      isDelivering: false,
      roundTripMs: 1_500,
      heldReplies: 2,
      heldReplyBytes: 3_000,
      subscriptionCounts: () => ({ asked: 1, held: 2, refused: 3 }),
    };
    nats.reconnected();
    nats.slowConsumer();
    nats.callbackFailed();
    nats.unconfirmed(4);
    nats.refused("subscription");
    expect(await scrapeNats()).toEqual(
      expect.arrayContaining([
        "network_host_nats_connected 1",
        "network_host_nats_delivering 0",
        "network_host_nats_round_trip_seconds 1.5",
        "network_host_nats_held_replies 2",
        "network_host_nats_held_reply_bytes 3000",
        'network_host_nats_subscriptions{state="asked"} 1',
        'network_host_nats_subscriptions{state="held"} 2',
        'network_host_nats_subscriptions{state="refused"} 3',
        "network_host_nats_reconnects_total 1",
        "network_host_nats_slow_consumer_total 1",
        "network_host_nats_callback_errors_total 1",
        "network_host_nats_unconfirmed_replies_total 4",
        'network_host_nats_permission_errors_total{operation="publish"} 0',
        'network_host_nats_permission_errors_total{operation="subscription"} 1',
      ]),
    );
  });

  test("shows what was taken from plugins, and how many files cannot be used", async () => {
    const stats = statsOf();
    stats.narrowed();
    stats.narrowed();
    const lines = await scrape(stats, statsOf("other"));
    expect(lines).toEqual(
      expect.arrayContaining([
        'network_host_narrowings_total{plugin="echo"} 2',
        'network_host_narrowings_total{plugin="other"} 0',
        "network_host_unusable_files 2",
      ]),
    );
  });

  test("shows the process, and shares nothing with another replica in the same process", async () => {
    const one = metricsOf([statsOf("one")]);
    const two = metricsOf([statsOf("two")]);
    const text = await one.render();
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
    expect(text).toMatch(/^nodejs_event_loop_utilization [\d.]+/m);
    expect(text).not.toContain('"two"');
    expect(await two.render()).not.toContain('"one"');
  });
});
