/**
 * `wasi:io/streams` and `wasi:io/error`. A stream is a view of a source or a sink, which may have to wait for the other
 * side. Then the blocking functions suspend the guest, and the others report that nothing is ready. Standard streams never
 * wait, so nothing here suspends a component without HTTP.
 *
 * A write beyond what `check-write` permitted, or beyond the fixed bound of the blocking writes, is a trap, as WASI
 * demands.
 *
 * @module
 */

import type { Error as PublishedError } from "@bytecodealliance/preview2-shim/interfaces/wasi-io-error";
import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-io-streams";
import type { HttpFailure } from "../../contract/http.ts";
import type { GuestContext } from "../guest/guest-context.ts";
import { DONE, err, expectBytes, expectU64, ok, type Result } from "../guest/guest-values.ts";
import { type KeptResource, NOTE_STATE, type PutBack } from "../guest/kept-resource.ts";
import { createTrap } from "../guest/trap.ts";
import { HOST_ONLY, type Namespace, namespace, requireHost, seal } from "../guest/namespaces.ts";
import type { BodyRead } from "../guest/guest-exchange.ts";
import { Pollable } from "./poll.ts";
import type { Implementation } from "./published-types.ts";

type StreamError = { readonly tag: "closed" } | { readonly tag: "last-operation-failed"; readonly val: IoError };
type Awaited<Value> = Value | Promise<Value>;

const CLOSED: Result<never, StreamError> = Object.freeze(err<StreamError>({ tag: "closed" }));

/** The most bytes that one `check-write` permits. */
const PERMIT_BYTES = 64 * 1024;

/** The most bytes that one read returns, however many the guest asks for. */
const MAX_READ_BYTES = 64 * 1024;

/** WASI's bound of `blocking-write-and-flush` and of `blocking-write-zeroes-and-flush`. */
const MAX_BLOCKING_WRITE_BYTES = 4_096;

const ZEROES = new Uint8Array(PERMIT_BYTES);
const NOTHING = new Uint8Array(0);

/** Where an input stream's bytes come from. */
export interface ByteSource {
  /** Takes up to `maxBytes` bytes, and at least one where there are any. */
  read(maxBytes: number): BodyRead;
  /** Would a read return something other than "pending"? */
  readonly isReadable: boolean;
  /** Does it keep no state of what was read? */
  readonly isConstant?: true;
}

/** A source without any bytes. */
const EMPTY: ByteSource = { read: () => ({ kind: "end" }), isReadable: true, isConstant: true };

/** Where an output stream's bytes go. */
export interface ByteSink {
  /** Takes bytes, at most `permit` of them; they may change once this returns. */
  write(bytes: Uint8Array): void;
  /** How many bytes it takes now; 0 where the guest has to wait; `closed` or a failure where it takes no more. */
  readonly permit: number | "closed" | HttpFailure;
  /** Does it keep no state of what was written? */
  readonly isConstant?: true;
}

/** The failure behind an `error` resource of the host; throws for anything else. */
let failureOf: (error: unknown) => HttpFailure;

/** Why a stream failed. */
export class IoError implements Implementation<PublishedError> {
  readonly #context: GuestContext;
  readonly #failure: HttpFailure;

  constructor(key: typeof HOST_ONLY, context: GuestContext, failure: HttpFailure) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#failure = failure;
  }

  toDebugString(): string {
    return this.#failure.code;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  static {
    failureOf = (error) => (error as IoError).#failure;
  }
}
seal(IoError);

/** Reads bytes of an input stream of the host; throws for anything else. */
let readFrom: (stream: unknown, maxBytes: bigint) => Result<Uint8Array, StreamError>;
let isReadable: (stream: unknown) => boolean;

/** The resource `input-stream`, over a source. It counts as a handle until the guest drops it. */
export class InputStream implements Implementation<Published.InputStream>, KeptResource {
  readonly #context: GuestContext;
  readonly #source: ByteSource;
  readonly #dropped: (() => void) | undefined;
  #state: "open" | "closed" = "open";

  /** `dropped` is called when the guest has dropped it. */
  constructor(key: typeof HOST_ONLY, context: GuestContext, source: ByteSource = EMPTY, dropped?: () => void) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#source = source;
    this.#dropped = dropped;
  }

  read(length: unknown): Result<Uint8Array, StreamError> {
    return this.#read(expectU64(length));
  }

  blockingRead(length: unknown): Awaited<Result<Uint8Array, StreamError>> {
    const maxBytes = expectU64(length);
    return this.#whenReady(() => this.#read(maxBytes));
  }

  skip(length: unknown): Result<bigint, StreamError> {
    return counted(this.#read(expectU64(length)));
  }

  blockingSkip(length: unknown): Awaited<Result<bigint, StreamError>> {
    const maxBytes = expectU64(length);
    return this.#whenReady(() => counted(this.#read(maxBytes)));
  }

  subscribe(): Pollable {
    return new Pollable(HOST_ONLY, this.#context, () => this.#isReady());
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    this.#dropped?.();
  }

  /** The stream's own state is whether a read has met the end. */
  [NOTE_STATE](): PutBack | undefined {
    const state = this.#state;
    return this.#source.isConstant ? () => void (this.#state = state) : undefined;
  }

  #isReady(): boolean {
    return this.#state === "closed" || this.#source.isReadable;
  }

  #whenReady<Value>(read: () => Value): Awaited<Value> {
    return this.#isReady() ? read() : this.#context.until(() => this.#isReady()).then(read);
  }

  #read(maxBytes: bigint): Result<Uint8Array, StreamError> {
    if (this.#state === "closed") return CLOSED;
    // A read of no bytes only reports the end.
    if (maxBytes === 0n) return ok(NOTHING);
    const found = this.#source.read(Math.min(Number(maxBytes), MAX_READ_BYTES));
    if (found.kind === "bytes") return ok(found.bytes);
    if (found.kind === "pending") return ok(NOTHING);
    this.#state = "closed";
    return found.kind === "end" ? CLOSED : failed(this.#context, found.failure);
  }

  static {
    readFrom = (stream, maxBytes) => (stream as InputStream).#read(maxBytes);
    isReadable = (stream) => (stream as InputStream).#isReady();
  }
}
seal(InputStream);

/** The resource `output-stream`, over a sink. It counts as a handle until the guest drops it. */
export class OutputStream implements Implementation<Published.OutputStream>, KeptResource {
  readonly #context: GuestContext;
  readonly #sink: ByteSink;
  readonly #dropped: (() => void) | undefined;
  #permittedBytes = 0;
  #state: "open" | "closed" = "open";

  /** `dropped` is called when the guest has dropped it. */
  constructor(key: typeof HOST_ONLY, context: GuestContext, sink: ByteSink, dropped?: () => void) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#sink = sink;
    this.#dropped = dropped;
  }

  checkWrite(): Result<bigint, StreamError> {
    const permit = this.#permit();
    if (typeof permit !== "number") return permit;
    this.#permittedBytes = permit;
    return ok(BigInt(permit));
  }

  write(contents: unknown): Result<undefined, StreamError> {
    const bytes = expectBytes(contents);
    this.#usePermit(bytes.length);
    return this.#write(bytes);
  }

  blockingWriteAndFlush(contents: unknown): Awaited<Result<undefined, StreamError>> {
    const bytes = expectBytes(contents);
    if (bytes.length > MAX_BLOCKING_WRITE_BYTES) throw this.#overrun();
    return this.#writeAll(bytes);
  }

  /** Has nothing to flush: a write goes to the sink at once. Reports a failure of the sink. */
  flush(): Result<undefined, StreamError> {
    const permit = this.#permit();
    return typeof permit === "number" ? DONE : permit;
  }

  blockingFlush(): Result<undefined, StreamError> {
    return this.flush();
  }

  subscribe(): Pollable {
    return new Pollable(HOST_ONLY, this.#context, () => this.#isReady());
  }

  writeZeroes(length: unknown): Result<undefined, StreamError> {
    const bytes = expectU64(length);
    this.#usePermit(bytes);
    return this.#write(ZEROES.subarray(0, Number(bytes)));
  }

  blockingWriteZeroesAndFlush(length: unknown): Awaited<Result<undefined, StreamError>> {
    const bytes = expectU64(length);
    if (bytes > MAX_BLOCKING_WRITE_BYTES) throw this.#overrun();
    return this.#writeAll(ZEROES.subarray(0, Number(bytes)));
  }

  splice(source: unknown, length: unknown): Result<bigint, StreamError> {
    return this.#splice(source, expectU64(length));
  }

  blockingSplice(source: unknown, length: unknown): Awaited<Result<bigint, StreamError>> {
    const maxBytes = expectU64(length);
    const isReady = (): boolean => this.#isReady() && isReadable(source);
    if (isReady()) return this.#splice(source, maxBytes);
    return this.#context.until(isReady).then(() => this.#splice(source, maxBytes));
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    this.#dropped?.();
  }

  /** The stream's own state is what is left of a permit, and whether it has failed. */
  [NOTE_STATE](): PutBack | undefined {
    if (!this.#sink.isConstant) return undefined;
    const [state, permittedBytes] = [this.#state, this.#permittedBytes];
    return () => {
      this.#state = state;
      this.#permittedBytes = permittedBytes;
    };
  }

  #isReady(): boolean {
    return this.#state === "closed" || this.#sink.permit !== 0;
  }

  /** How many bytes can be written now, or why none can: the sink's failure the first time, and then `closed`. */
  #permit(): number | Result<never, StreamError> {
    const { permit } = this.#sink;
    if (this.#state === "closed" || permit === "closed") return CLOSED;
    if (typeof permit === "number") return Math.min(permit, PERMIT_BYTES);
    this.#state = "closed";
    return failed(this.#context, permit);
  }

  #write(bytes: Uint8Array): Result<undefined, StreamError> {
    const permit = this.#permit();
    if (typeof permit !== "number") return permit;
    this.#sink.write(bytes);
    return DONE;
  }

  #writeAll(bytes: Uint8Array): Awaited<Result<undefined, StreamError>> {
    const permit = this.#permit();
    if (typeof permit !== "number") return permit;
    this.#sink.write(bytes.subarray(0, permit));
    const rest = bytes.subarray(permit);
    if (rest.length === 0) return DONE;
    return this.#context.until(() => this.#isReady()).then(() => this.#writeAll(rest));
  }

  #splice(source: unknown, maxBytes: bigint): Result<bigint, StreamError> {
    const permit = this.#permit();
    if (typeof permit !== "number") return permit;
    const found = readFrom(source, maxBytes < BigInt(permit) ? maxBytes : BigInt(permit));
    if (found.tag === "err") return found;
    this.#sink.write(found.val);
    return counted(found);
  }

  #usePermit(bytes: number | bigint): void {
    if (bytes > this.#permittedBytes) throw this.#overrun();
    this.#permittedBytes -= Number(bytes);
  }

  #overrun(): Error {
    return this.#context.trap("a write is larger than the stream permits");
  }
}
seal(OutputStream);

export const streams: Namespace = namespace({ InputStream, OutputStream });

export const error: Namespace = namespace({ Error: IoError });

/** The failure behind an `error` resource; traps for anything else. */
export function expectFailure(value: unknown): HttpFailure {
  try {
    return failureOf(value);
  } catch {
    throw createTrap("there is no such error");
  }
}

function failed(context: GuestContext, failure: HttpFailure): Result<never, StreamError> {
  return err<StreamError>({ tag: "last-operation-failed", val: new IoError(HOST_ONLY, context, failure) });
}

function counted(read: Result<Uint8Array, StreamError>): Result<bigint, StreamError> {
  return read.tag === "ok" ? ok(BigInt(read.val.length)) : read;
}
