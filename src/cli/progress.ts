/**
 * Shows what runs while a command waits for it: on a terminal one line that changes, with the time and the last line of
 * output; elsewhere a line for each step.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { printableLine } from "../telemetry/plugin-text.ts";
import type { ToolEnd } from "../project/tool.ts";
import { durationText } from "./author-log.ts";
import { type OutputStream, styled } from "./terminal.ts";

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 100;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = "\r\u001b[2K";

/** Steps that take a while, one at a time. */
export class Progress implements Disposable {
  readonly #stream: OutputStream;
  #timer: NodeJS.Timeout | undefined;
  #title = "";
  #last = "";
  #startMs = 0;
  #frame = 0;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  /** A step begins. `detail` is shown where lines cannot change. */
  begin(title: string, detail: string): void {
    this.#title = title;
    this.#last = "";
    this.#startMs = performance.now();
    if (this.#stream.isTTY !== true) {
      this.#stream.write(`${detail}\n`);
      return;
    }
    this.#draw();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS);
  }

  /** The step has written this. */
  note(line: string): void {
    this.#last = line;
  }

  /** The step has ended. */
  end(outcome: ToolEnd): void {
    this.#stop();
    if (this.#stream.isTTY !== true || outcome === "stopped") return;
    const mark = outcome === "done" ? styled(this.#stream, "good", "✓") : styled(this.#stream, "bad", "✗");
    const took = styled(this.#stream, "quiet", durationText(performance.now() - this.#startMs));
    this.#stream.write(`${mark} ${this.#title} ${took}\n`);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stream.write(CLEAR_LINE);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const seconds = Math.floor((performance.now() - this.#startMs) / 1_000);
    const head = `${FRAMES[this.#frame] ?? ""} ${this.#title} ${seconds} s`;
    const room = columnsOf(this.#stream) - head.length - 3;
    const last = stripVTControlCharacters(this.#last).trim();
    const shown = room > 0 ? printableLine(last, Number.POSITIVE_INFINITY).slice(0, room) : "";
    this.#stream.write(`${CLEAR_LINE}${head}  ${styled(this.#stream, "quiet", shown)}`);
  }
}

function columnsOf(stream: OutputStream): number {
  return "columns" in stream && typeof stream.columns === "number" && stream.columns > 0
    ? stream.columns
    : DEFAULT_COLUMNS;
}
