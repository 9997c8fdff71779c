/** Links components in the test's own process: no realm is sealed, no channel is there. */

import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import { LINK_PLAN_FILE, type LinkPlan } from "../../../src/contract/link-plan.ts";
import type { Engine } from "../../../src/runner/engine.ts";
import type { InstanceAudit } from "../../../src/runner/linker/instance-audit.ts";
import { createLinkedComponent, type LinkedComponent } from "../../../src/runner/linker/linked-component.ts";
import { LinkedInstance } from "../../../src/runner/linker/linked-instance.ts";
import { LinkerEngine } from "../../../src/runner/linker/linker-engine.ts";
import { parsePlan } from "../../../src/runner/linker/parse-plan.ts";
import type { Namespace } from "../../../src/runner/guest/namespaces.ts";
import { StopFlags } from "../../../src/runner/stopping/stop-flags.ts";
import { Suspension } from "../../../src/runner/suspension.ts";

/** A plan and its core modules, ready for instances. Throws where planning is refused. */
export function prepare(component: Uint8Array): LinkedComponent {
  return createLinkedComponent(...planned(component));
}

/** How putting an instance back finds what changed: by the compiler's own rule, or by what a test asks for. */
export type Changes = LinkPlan["changes"]["kind"] | "as chosen";

const NOTED_MIN_BYTES = { noted: 0, compared: Infinity, "as chosen": undefined } as const;

/** An engine of a plugin, with the real imports. */
export function prepareEngine(component: Uint8Array, audit?: InstanceAudit, changes: Changes = "as chosen"): Engine {
  return new LinkerEngine(...planned(component, changes), new StopFlags(), { audit });
}

function planned(component: Uint8Array, changes: Changes = "as chosen"): [LinkPlan, WebAssembly.Module[]] {
  const planning = planComponent(component, NOTED_MIN_BYTES[changes]);
  if (planning.kind === "refused") throw new Error(`the plan is refused: ${planning.reason}`);
  const plan = parsePlan(text(planning.files.get(LINK_PLAN_FILE)));
  const modules = plan.modules.map(({ file }) => new WebAssembly.Module(Buffer.from(planning.files.get(file) ?? [])));
  return [plan, modules];
}

/** An instance that finds its imports in `host`, by interface name without version. */
export function instantiate(linked: LinkedComponent, host: Readonly<Record<string, Namespace>> = {}): LinkedInstance {
  const instance = new LinkedInstance(linked, (name) => host[name], new Suspension(), new StopFlags().take().memory);
  instance.start();
  return instance;
}

/** The exported function of an interface, in an instance. */
export function exported(
  { plan }: { readonly plan: LinkPlan },
  instance: LinkedInstance,
  interfaceName: string,
  name: string,
): (...values: readonly unknown[]) => Promise<unknown> {
  const lift = plan.exports[interfaceName]?.[name];
  if (lift === undefined) throw new Error(`${interfaceName} ${name} is not exported`);
  return (...values) =>
    new Promise((resolve, reject) => void instance.call(lift, values, { returned: resolve, threw: reject }));
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("utf8");
}
