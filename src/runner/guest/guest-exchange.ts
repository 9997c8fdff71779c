/**
 * One exchange of a guest, inside the runner: the part of its response that has arrived and was not read, and how much of
 * the request's body may be sent now. The resources of `wasi:http` are views of it.
 *
 * The channel's windows bound it. It holds no more of the response than the window, and asks for as much as the guest has
 * read. It sends no more of the request than the host asks for.
 *
 * @module
 */

import type { HttpExchange, HttpFailure, HttpField, HttpResponse, HttpSink } from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";

/** What a read of the response's body returns. */
export type BodyRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** No bytes have arrived yet. */
  | { readonly kind: "pending" }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly failure: HttpFailure };

/** The state of an exchange. */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "ended"; readonly trailers: readonly HttpField[] }
  | { readonly kind: "failed"; readonly failure: HttpFailure };

/** Bytes that the guest reads before the exchange asks for more: a message for each small read would cost too much. */
const ASK_BYTES = FIXED_LIMITS.httpWindowBytes / 4;

/** The state of one exchange: the host's messages change it, and the guest's resources read it. */
export class GuestExchange implements HttpSink {
  readonly #changed: () => void;
  #port: HttpExchange | undefined;
  #state: State = { kind: "open" };
  #response: HttpResponse | undefined;
  #chunks: Uint8Array[] = [];
  #reading: "kept" | "discarded" = "kept";
  #readBytes = 0;
  #writableBytes = FIXED_LIMITS.httpWindowBytes;

  /** `changed` is called whenever the guest, if it waits, should look again. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Connects the exchange with the host. Called once. */
  attach(port: HttpExchange): void {
    this.#port = port;
  }

  /** The response's head, once it has come. */
  get head(): HttpResponse | undefined {
    return this.#response;
  }

  get failure(): HttpFailure | undefined {
    return this.#state.kind === "failed" ? this.#state.failure : undefined;
  }

  /** The trailers, once the response is whole. */
  get trailers(): readonly HttpField[] | undefined {
    return this.#state.kind === "ended" ? this.#state.trailers : undefined;
  }

  /** Bytes of the request's body that may be sent now. */
  get writableBytes(): number {
    return this.#writableBytes;
  }

  /** Does the host still take the request's body? */
  get isOpen(): boolean {
    return this.#state.kind === "open";
  }

  /** Sends bytes of the request's body: at most {@link writableBytes}. */
  write(bytes: Uint8Array): void {
    this.#writableBytes -= bytes.length;
    if (bytes.length > 0) this.#port?.write(bytes);
  }

  finish(): void {
    if (this.isOpen) this.#port?.finish();
  }

  /** Takes up to `maxBytes` bytes of the response's body. */
  read(maxBytes: number): BodyRead {
    const [first] = this.#chunks;
    if (first === undefined) return this.#readEnd();
    const bytes = first.subarray(0, maxBytes);
    if (bytes.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes.length);
    this.#ask(bytes.length);
    return { kind: "bytes", bytes };
  }

  /** Would {@link read} return something other than "pending"? */
  get isReadable(): boolean {
    return this.#chunks.length > 0 || this.#state.kind !== "open";
  }

  /** The guest does not read the rest of the response's body: it may still want the trailers. */
  discard(): void {
    this.#reading = "discarded";
    const bytes = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#chunks = [];
    this.#ask(bytes);
  }

  /** The guest wants nothing more of the exchange. */
  abort(): void {
    if (this.#state.kind !== "open") return;
    this.#chunks = [];
    this.#state = { kind: "failed", failure: { code: "connection-terminated" } };
    this.#port?.abort();
  }

  wanted(bytes: number): void {
    this.#writableBytes += bytes;
    this.#changed();
  }

  response(response: HttpResponse): void {
    this.#response = response;
    this.#changed();
  }

  chunk(bytes: Uint8Array): void {
    if (this.#reading === "kept") this.#chunks.push(bytes);
    else this.#ask(bytes.length);
    this.#changed();
  }

  end(trailers: readonly HttpField[]): void {
    this.#state = { kind: "ended", trailers };
    this.#changed();
  }

  fail(failure: HttpFailure): void {
    this.#state = { kind: "failed", failure };
    this.#changed();
  }

  #readEnd(): BodyRead {
    if (this.#state.kind === "open") return { kind: "pending" };
    if (this.#state.kind === "ended") return { kind: "end" };
    return { kind: "failed", failure: this.#state.failure };
  }

  #ask(bytes: number): void {
    this.#readBytes += bytes;
    const isDue = this.#readBytes >= ASK_BYTES || (this.#readBytes > 0 && this.#chunks.length === 0);
    if (!isDue || this.#state.kind !== "open") return;
    this.#port?.read(this.#readBytes);
    this.#readBytes = 0;
  }
}
