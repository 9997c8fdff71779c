/**
 * A descriptor that takes, refuses or fails what it is given, as it is told.
 *
 * @module
 */

import type { OutputWriter, WriteResult } from "../../../src/telemetry/output-writer.ts";

export class ScriptedWriter implements OutputWriter {
  /** What was written, each write for itself. */
  readonly writes: string[] = [];
  /** What happens to the next writes; they succeed when there is nothing here. */
  readonly results: WriteResult[] = [];

  get text(): string {
    return this.writes.join("");
  }

  write(bytes: Uint8Array): WriteResult {
    return this.writeNow(bytes);
  }

  writeNow(bytes: Uint8Array): WriteResult {
    const result = this.results.shift() ?? { kind: "written", bytes: bytes.length };
    if (result.kind === "written") this.writes.push(Buffer.from(bytes.subarray(0, result.bytes)).toString());
    return result;
  }

  awaitNow(): WriteResult {
    return { kind: "full" };
  }
}
