import type { LoopSpec } from "../jobs/load-spec.ts";

/** Where a loop's requests go. */
export function subjectsOf({ subject, targets = 1 }: LoopSpec): readonly string[] {
  return Array.from({ length: targets }, (_, target) => subject.replace("*", String(target)));
}
