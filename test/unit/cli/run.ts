/**
 * Runs the command line inside the test's process with streams that remember.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import type { ServeOptions } from "../../../src/app-options.ts";
import { runProgram } from "../../../src/cli/program.ts";
import type { ServedApp } from "../../../src/cli/serve.ts";
import type { OutputStream } from "../../../src/cli/terminal.ts";

/** How to run it. */
export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Buffer;
  /** Is standard output a terminal? */
  readonly isTerminal?: boolean;
  readonly startApp?: (options: ServeOptions) => Promise<ServedApp>;
  readonly signals?: EventEmitter;
  readonly isTerminalGone?: () => boolean;
  readonly exit?: (code: number) => void;
}

/** What came of it. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const stdout = remembering(options.isTerminal ?? false);
  const stderr = remembering(false);
  const terminal = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
  };
  const code = await runProgram(args, terminal, {
    startApp: options.startApp ?? (() => Promise.reject(new Error("no replica is started in this test"))),
    signals: options.signals ?? new EventEmitter(),
    isTerminalGone: options.isTerminalGone ?? (() => false),
    exit: options.exit ?? (() => undefined),
  });
  return { code, stdout: stdout.bytes().toString(), stdoutBytes: stdout.bytes(), stderr: stderr.bytes().toString() };
}

function remembering(isTTY: boolean): { stream: OutputStream; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), bytes: () => Buffer.concat(chunks) };
}
