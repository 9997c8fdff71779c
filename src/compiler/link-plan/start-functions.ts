/**
 * May the start functions of a component's core modules run once all of them are instantiated, in the same order, in place
 * of each when its own module is? Then there is a moment at which nothing of the guest has run and everything is there: a
 * state to put an instance back to from which its start functions can run again.
 *
 * They may where no start function can tell the difference. Instantiating a module without its start function does nothing
 * outside of it but write its active segments. So nothing that was there when a start function ran may be written by the
 * active segments of a module after it.
 *
 * @module
 */

import type { CoreModule } from "../../component/core/model.ts";
import type { PlanFreshness, PlanInstance, StartTime } from "../../contract/link-plan.ts";

type FilledKind = "memory" | "table";

/**
 * When the start functions of a plan are to run.
 *
 * @param instances in the order in which they are made
 * @param modules by the plan's indices
 */
export function startTimeOf(
  instances: readonly PlanInstance[],
  modules: readonly CoreModule[],
  freshness: PlanFreshness,
): StartTime {
  if (instances.every(({ module }) => modules[module]?.start === undefined)) return "none";
  return freshness.kind === "restorable" && mayStartLater(instances, modules) ? "later" : "at-instantiation";
}

function mayStartLater(instances: readonly PlanInstance[], modules: readonly CoreModule[]): boolean {
  const plan = { instances, modules, imports: new Map(modules.map((module) => [module, importsByKind(module)])) };
  /** For each instance, how many of those before it have a start function. */
  const starts: number[] = [];
  let count = 0;
  for (const { module } of instances) {
    starts.push(count);
    if (modules[module]?.start !== undefined) count += 1;
  }
  return instances.every(({ module }, index) => {
    const { memories, tables } = modules[module]?.filled ?? { memories: [], tables: [] };
    const owners = [
      ...memories.map((memory) => ownerOf(plan, index, "memory", memory)),
      ...tables.map((table) => ownerOf(plan, index, "table", table)),
    ];
    return owners.every((owner) => starts[owner] === starts[index]);
  });
}

interface Instances {
  readonly instances: readonly PlanInstance[];
  readonly modules: readonly CoreModule[];
  /** For each module, the places of its imports of a kind. Looked up for each instance on a way, and there may be very many. */
  readonly imports: ReadonlyMap<CoreModule, Readonly<Record<FilledKind, readonly number[]>>>;
}

function importsByKind({ imports }: CoreModule): Record<FilledKind, number[]> {
  const places: Record<FilledKind, number[]> = { memory: [], table: [] };
  for (const [place, { kind }] of imports.entries())
    if (kind === "memory" || kind === "table") places[kind].push(place);
  return places;
}

/** The instance that defines a memory or table, which an instance knows by an index of its own. */
function ownerOf({ instances, modules, imports }: Instances, instance: number, kind: FilledKind, item: number): number {
  let [owner, index] = [instance, item];
  for (;;) {
    const made = instances[owner];
    const module = made && modules[made.module];
    const imported = module && imports.get(module)?.[kind][index];
    if (made === undefined || imported === undefined) return owner;
    const [, , given] = made.imports[imported] ?? [];
    // A validator accepts nothing but an export of an instance that was made before.
    if (given?.kind !== "export") return 0;
    const from = modules[instances[given.instance]?.module ?? -1];
    const exported = from?.exports.find((one) => one.kind === kind && one.name === given.name);
    if (exported === undefined) return 0;
    [owner, index] = [given.instance, exported.index];
  }
}
