/**
 * What a link plan says about how instances come to a fresh state, for those who look at a component.
 *
 * @module
 */

import type { FreshState } from "../../contract/artifact.ts";
import type { LinkPlan } from "../../contract/link-plan.ts";

/** Packages of WASI that tell a guest what differs from instance to instance. */
const TELLING = /^wasi:(?:clocks|random)\//;

export function freshStateOf({ freshness, changes, starts, lowers }: LinkPlan): FreshState {
  if (freshness.kind === "fresh") return { kind: "made-anew", reason: freshness.reason };
  const canBeTold = lowers.some(({ target }) => target.kind === "import" && TELLING.test(target.interface));
  if (starts === "none" || !canBeTold) return { kind: "put-back", changes };
  return { kind: starts === "later" ? "put-back-or-started-again" : "put-back-or-made-anew", changes };
}
