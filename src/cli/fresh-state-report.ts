/**
 * How an examined component's instances come to a fresh state for each request, as its artifact says it.
 *
 * @module
 */

import type { FreshState, LinkEntry } from "../contract/artifact.ts";
import type { PlanChanges } from "../contract/link-plan.ts";
import { printableText } from "../telemetry/plugin-text.ts";

export function freshStateOf(link: LinkEntry): FreshState {
  if (link.kind === "planned") return link.freshState;
  return { kind: "made-anew", reason: `the jco engine runs it: ${link.reason}` };
}

/** For people: what happens to an instance after each request, and how what changed in its memories is found. */
export function freshStateRows(state: FreshState): [label: string, value: string][] {
  switch (state.kind) {
    case "put-back":
      return [["state", "put back after each request"], changesRow(state.changes)];
    case "put-back-or-started-again":
      return [
        ["state", "put back after each request, and started again if its start reads a clock or random values"],
        changesRow(state.changes),
      ];
    case "put-back-or-made-anew":
      return [
        ["state", "put back after each request, or made anew if its start reads a clock or random values"],
        changesRow(state.changes),
      ];
    case "made-anew":
      return [["state", `made anew for each request: ${printableText(state.reason)}`]];
  }
}

function changesRow(changes: PlanChanges): [label: string, value: string] {
  const found = changes.kind === "noted" ? "noted" : `all memory is compared: ${printableText(changes.reason)}`;
  return ["changes", found];
}
