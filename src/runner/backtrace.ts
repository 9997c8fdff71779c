/**
 * Where a guest trapped, from V8's stack trace: the guest's functions by the names in its modules' `name` sections, if they
 * have any. The guest chose these names, so they are escaped and bounded.
 *
 * @module
 */

import { escapeControls } from "./guest/guest-log.ts";
import { demangle } from "./rust-symbol.ts";

const MAX_FRAMES = 8;
const MAX_NAME_CHARACTERS = 200;

/** `at module.name (wasm://wasm/module-8f0a:wasm-function[12]:0x3f)`, or without a name and parentheses. */
const FRAME =
  /^at (?:(?:async )?(?<name>.*) \()?wasm:\/\/wasm\/[^ ]*?(?<where>wasm-function\[[0-9]+\]:0x[0-9a-f]+)\)?$/;

/** The guest's innermost frames, one line each. */
export function guestFrames(stack: string): string[] {
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    const found = FRAME.exec(line.trim())?.groups;
    if (found === undefined) continue;
    frames.push(describeFrame(found["name"], found["where"] as string));
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

function describeFrame(name: string | undefined, where: string): string {
  return name === undefined ? `  at ${where}` : `  at ${describeName(name)} (${where})`;
}

/** V8 writes the module's name before the function's: a Rust symbol begins after it. */
function describeName(name: string): string {
  const [, symbol] = /(?:^|\.)(_R[0-9A-Z].*|_ZN[0-9].*)$/.exec(name) ?? [];
  const readable = escapeControls(symbol === undefined ? name : demangle(symbol));
  return readable.length <= MAX_NAME_CHARACTERS ? readable : `${readable.slice(0, MAX_NAME_CHARACTERS)}...`;
}
