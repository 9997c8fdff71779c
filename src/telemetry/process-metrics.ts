/**
 * Metrics of the host's own process, read at the scrape. prom-client's default metrics would keep an observer and a
 * timer for the life of the process.
 *
 * @module
 */

import { performance } from "node:perf_hooks";
import { Counter, type Registry } from "prom-client";
import { registerGauge } from "./gauge.ts";
import { MS_PER_SECOND } from "../contract/time-units.ts";

const MICROSECONDS_PER_SECOND = 1e6;
/** Adds the process's CPU time, memory, event-loop use and start time to a registry. */
export function registerProcessMetrics(registry: Registry): void {
  registry.registerMetric(
    new Counter({
      name: "process_cpu_seconds_total",
      help: "CPU time of the host's process, user and system. Its runners are processes of their own.",
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / MICROSECONDS_PER_SECOND);
      },
    }),
  );
  registerGauge(registry, "process_resident_memory_bytes", "Resident memory of the host's process.", () =>
    process.memoryUsage.rss(),
  );
  registerGauge(registry, "nodejs_heap_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  registerGauge(registry, "nodejs_external_memory_bytes", "Buffers outside the JavaScript heap.", () => {
    const { external } = process.memoryUsage();
    return external;
  });
  registerGauge(
    registry,
    "process_start_time_seconds",
    "When the process started, in seconds of Unix time.",
    () => performance.timeOrigin / MS_PER_SECOND,
  );
  registerEventLoop(registry);
}

function registerEventLoop(registry: Registry): void {
  let last = performance.eventLoopUtilization();
  registerGauge(registry, "nodejs_event_loop_utilization", "Share of the time since the last scrape, 0 to 1.", () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  });
}
