/**
 * What processes use while something is measured. A process that is started meanwhile counts from its start.
 *
 * @module
 */

import type { ProcessCost } from "../figures/measurement.ts";
import { forgetPeak, type Usage, usageOf, type WatchedProcess } from "./process-usage.ts";

/** Ends the watch and shares what was used out over so many requests. Empty where the system does not tell. */
export type EndWatch = (requests: number) => Promise<ProcessCost[]>;

const NOTHING: Usage = { cpuSeconds: 0, rssBytes: 0, peakBytes: 0 };

/** Begins a watch. @param list names the processes as they are when it is called */
export async function watchProcesses(list: () => Promise<readonly WatchedProcess[]>): Promise<EndWatch> {
  const before = new Map<number, Usage>();
  for (const { pid } of await list()) {
    await forgetPeak(pid);
    const usage = await usageOf(pid);
    if (usage !== undefined) before.set(pid, usage);
  }
  return async (requests) => {
    const costs = new Map<string, ProcessCost>();
    for (const { role, pid } of await list()) {
      const end = await usageOf(pid);
      if (end === undefined) continue;
      const start = before.get(pid) ?? NOTHING;
      const { cpuSecondsPer10k, rssBytes, peakBytes } = costs.get(role) ?? { ...NOTHING, cpuSecondsPer10k: 0 };
      costs.set(role, {
        role,
        cpuSecondsPer10k: cpuSecondsPer10k + ((end.cpuSeconds - start.cpuSeconds) / requests) * 10_000,
        rssBytes: rssBytes + end.rssBytes,
        peakBytes: peakBytes + end.peakBytes,
      });
    }
    return [...costs.values()];
  };
}
