/**
 * A link plan ready to execute: its core modules compiled, its signatures and host functions resolved. All instances share
 * it, and it never changes.
 *
 * @module
 */

import { asyncImports } from "../../capabilities/async-imports.ts";
import { withoutVersion } from "../../contract/interface-names.ts";
import { type LinkPlan, MEMORY_PAGES_MAX, type PlanLower } from "../../contract/link-plan.ts";
import { answersAlike } from "./answers-alike.ts";
import { type HostFunction, hostFunction } from "./host-function.ts";
import { type CompiledSignature, compileSignatures } from "./signatures.ts";
import { tellsTime } from "./timekeeping.ts";
import { encodeStandingLoop } from "./standing-loop.ts";

/** A function of the host that the component imports. */
export interface HostImport {
  /** The interface without its version. */
  readonly interface: string;
  readonly call: HostFunction;
  readonly suspends: boolean;
  /** See `timekeeping.ts`. */
  readonly tellsTime: boolean;
  /** See `answers-alike.ts`. */
  readonly answersAlike: boolean;
}

export interface LinkedComponent {
  readonly plan: LinkPlan;
  /** In the order of the plan's modules. */
  readonly modules: readonly WebAssembly.Module[];
  /** The most pages that a memory may have. */
  readonly memoryPages: number;
  readonly signatures: readonly CompiledSignature[];
  /** By index of the plan's lowers; `undefined` for a function of a component. */
  readonly hostImports: readonly (HostImport | undefined)[];
  /** May a call suspend at all? Where none may, calls go without promise integration. */
  readonly suspends: boolean;
  /** The loop module for standing calls of a signature, by the plan's index. */
  standingLoop(signature: number): WebAssembly.Module;
}

export function createLinkedComponent(
  plan: LinkPlan,
  modules: readonly WebAssembly.Module[],
  memoryPages: number = MEMORY_PAGES_MAX,
): LinkedComponent {
  const interfaces = plan.lowers.flatMap(({ target }) => (target.kind === "import" ? [target.interface] : []));
  const suspending = new Set(asyncImports(interfaces));
  const hostImports = plan.lowers.map((lower) => hostImport(lower, suspending));
  const signatures = compileSignatures(plan);
  const loops: WebAssembly.Module[] = [];
  return {
    plan,
    modules,
    memoryPages,
    signatures,
    hostImports,
    suspends: hostImports.some((host) => host?.suspends === true),
    standingLoop(signature) {
      const { core } = signatures[signature] as CompiledSignature;
      return (loops[signature] ??= new WebAssembly.Module(encodeStandingLoop(core)));
    },
  };
}

function hostImport({ target }: PlanLower, suspending: ReadonlySet<string>): HostImport | undefined {
  if (target.kind === "lift") return undefined;
  const interfaceId = withoutVersion(target.interface);
  return {
    interface: interfaceId,
    call: hostFunction(target.name),
    suspends: suspending.has(`${interfaceId}#${target.name}`),
    tellsTime: tellsTime(interfaceId, target.name),
    answersAlike: answersAlike(interfaceId, target.name),
  };
}
