/**
 * The framing of wRPC on a byte stream: TCP, TLS, Unix sockets and others. A connection carries one call.
 *
 * The caller sends the version, the names of the instance and the function, and frames; the callee sends frames. A frame
 * is a path, which is empty for the plain parameters and results, and bytes. The plain bytes of one direction may be
 * spread over any number of frames. Other paths carry streams and futures, which the handler has none of: they are
 * refused.
 *
 * @see https://github.com/bytecodealliance/wrpc/blob/main/SPEC.md
 * Generated from src/wrpc/frames.ts by scripts/generate-sdk/client.ts; do not edit.
 *
 * @module
 */

import { ValueReader } from "./value-reader.ts";
import { ValueWriter } from "./value-writer.ts";

/** The first byte of a call. */
export const FRAMING_VERSION = 0;

/** The name of an instance or a function has at most this many bytes. */
const MAX_NAME_BYTES = 255;

/** A length takes at most this many bytes. */
const MAX_LENGTH_BYTES = 5;

/** The most bytes of a call's beginning: version and both names. */
export const MAX_OPENING_BYTES: number = 1 + 2 * (2 + MAX_NAME_BYTES);

/** A frame's beginning: the empty path and a length. Padded numbers are allowed. */
const MAX_FRAME_START_BYTES = 2 * MAX_LENGTH_BYTES;

/** The beginning of a call. */
export interface Opening {
  readonly instance: string;
  readonly name: string;
}

/** What a chunk of a stream holds. */
export type StreamEvent =
  | { readonly kind: "opening"; readonly opening: Opening }
  /** Plain bytes, at least one of them: a view of the chunk. */
  | { readonly kind: "data"; readonly data: Uint8Array }
  /** The peer breaks the format: read no further. */
  | { readonly kind: "malformed"; readonly problem: string };

/** Where a {@link FrameReader} is in its stream. */
type ReaderState =
  | { readonly kind: "opening" }
  | { readonly kind: "frame" }
  | { readonly kind: "data"; leftBytes: number }
  | { readonly kind: "ended" };

const NOTHING = Buffer.alloc(0);

/**
 * Reads one direction of a connection. It holds back at most {@link MAX_OPENING_BYTES} bytes, whatever the peer sends, and
 * counts frames: empty ones cost the peer two bytes each and carry nothing.
 */
export class FrameReader {
  readonly #maxFrames: number;
  #state: ReaderState;
  /** The beginning of a name or a frame whose end has not arrived. */
  #held: Buffer = NOTHING;
  #frames = 0;

  /** `side`: whose bytes are read; only the caller's begin with the names. */
  constructor(side: "caller" | "callee", maxFrames: number) {
    this.#state = { kind: side === "caller" ? "opening" : "frame" };
    this.#maxFrames = maxFrames;
  }

  /** May the stream end here? */
  get isAtFrameEnd(): boolean {
    return this.#state.kind === "frame" && this.#held.length === 0;
  }

  /** How many bytes it holds back. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Reads a chunk. After `malformed`, nothing more is read. */
  *push(chunk: Uint8Array): Generator<StreamEvent, void> {
    let rest = this.#withHeld(chunk);
    while (rest.length > 0 && this.#state.kind !== "ended") {
      const state = this.#state;
      if (state.kind === "data") {
        const data = rest.subarray(0, state.leftBytes);
        rest = rest.subarray(data.length);
        state.leftBytes -= data.length;
        if (state.leftBytes === 0) this.#state = { kind: "frame" };
        yield { kind: "data", data };
        continue;
      }
      const start = state.kind === "opening" ? readOpening(rest) : this.#readFrameStart(rest);
      if (start.kind === "short") {
        this.#held = Buffer.from(rest);
        return;
      }
      if (start.kind === "malformed") {
        this.#state = { kind: "ended" };
        yield start;
        return;
      }
      rest = rest.subarray(start.bytes);
      this.#state = start.next;
      if (start.opening !== undefined) yield { kind: "opening", opening: start.opening };
    }
  }

  #withHeld(chunk: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return chunk;
    const joined = Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    return joined;
  }

  #readFrameStart(bytes: Uint8Array): Start {
    const reader = new ValueReader(bytes, MAX_FRAME_START_BYTES);
    const pathLength = reader.unsigned(32);
    if (reader.flaw === undefined && pathLength > 0) {
      return { kind: "malformed", problem: "a frame is for a stream or a future, and this function has none" };
    }
    const leftBytes = reader.unsigned(32);
    const flaw = flawOf(reader);
    if (flaw !== undefined) return flaw;
    this.#frames += 1;
    if (this.#frames > this.#maxFrames) return { kind: "malformed", problem: `more than ${this.#maxFrames} frames` };
    return {
      kind: "start",
      bytes: reader.offset,
      next: leftBytes === 0 ? { kind: "frame" } : { kind: "data", leftBytes },
    };
  }
}

/** The beginning of a call or a frame, as far as it is there. */
type Start =
  | { readonly kind: "start"; readonly bytes: number; readonly next: ReaderState; readonly opening?: Opening }
  | { readonly kind: "short" }
  | Extract<StreamEvent, { readonly kind: "malformed" }>;

function readOpening(bytes: Uint8Array): Start {
  const reader = new ValueReader(bytes, MAX_OPENING_BYTES);
  const version = reader.u8();
  if (version !== FRAMING_VERSION)
    return { kind: "malformed", problem: `version ${version} of the framing is unknown` };
  const opening = { instance: reader.text(), name: reader.text() };
  return flawOf(reader) ?? { kind: "start", bytes: reader.offset, next: { kind: "frame" }, opening };
}

function flawOf({ flaw }: ValueReader): Start | undefined {
  switch (flaw?.kind) {
    case undefined:
      return undefined;
    case "short":
      return { kind: "short" };
    case "malformed":
      return flaw;
    case "too-large":
      return { kind: "malformed", problem: "a name or the beginning of a frame is too long" };
  }
}

/** The beginning of a call. */
export function encodeOpening({ instance, name }: Opening): Uint8Array {
  const writer = new ValueWriter();
  writer.u8(FRAMING_VERSION);
  writer.text(instance);
  writer.text(name);
  return Buffer.concat(writer.finish());
}

/** One frame of plain bytes. */
export function encodeFrame(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const writer = new ValueWriter();
  writer.unsigned(0);
  writer.unsigned(parts.reduce((sum, part) => sum + part.length, 0));
  for (const part of parts) writer.raw(part);
  return writer.finish();
}
