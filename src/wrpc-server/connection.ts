/**
 * One wRPC connection: one call. It reads the call, hands a request to the handler, writes the result and closes.
 *
 * The caller is untrusted. Its parameters must arrive within `wrpcParametersMs`, and it must take the result within
 * `wrpcReplyMs`; what the host keeps for it meanwhile counts against bounds of the replica. Once the parameters are there,
 * nothing more is read until the result is written, so a caller that sends on fills no memory. A connection has exactly
 * one outcome, and a request that it brought is settled exactly once.
 *
 * @module
 */

import type { Socket } from "node:net";
import { failed, type Failure } from "../consumer/failure.ts";
import type { AnswerFate, AnswerOptions, RequestOrigin } from "../consumer/reply.ts";
import type { RequestHandler } from "../consumer/request-handler.ts";
import type { ServedPlugin } from "../consumer/served-plugin.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { RpcRequest } from "../contract/request.ts";
import type { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import type { Deadline } from "../scheduling/deadline-wheel.ts";
import type { WrpcOutcome } from "../telemetry/wrpc-stats.ts";
import { encodeFrame, FrameReader, type Opening, type StreamEvent } from "../wrpc/frames.ts";
import {
  encodeValue,
  GET_ACCESS_LEVELS,
  HANDLE_REQUEST,
  HANDLER_FUNCTIONS,
  HANDLER_INSTANCE,
  type HandlerFunction,
} from "../wrpc/handler-functions.ts";
import { type Decoding, ValuesDecoder } from "../wrpc/values-decoder.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { errorResult, maxParameterBytes, requestOf, resultOf } from "./handler-result.ts";
import { declaredLevels, limitsNow } from "./serving-version.ts";

/** What the connections of a listener share. */
export interface ConnectionOptions {
  /** The plugin, while the replica takes its requests. */
  readonly served: () => ServedPlugin | undefined;
  readonly handler: Pick<RequestHandler, "take" | "refuse">;
  /** When did a call arrive that is read now? By the clock of `performance.now()`. */
  readonly arrived: () => number;
  /** Makes an id for a request without a valid one. */
  readonly newId: () => string;
  readonly deadlines: DeadlineTimer;
  /** What the plugin's calls hold. */
  readonly held: HeldBytes;
  /** Charges the plugin with work of the thread since this time of `performance.now()`. */
  readonly charge: (sinceMs: number) => void;
  /** The connection's outcome is known; `problem` says what is wrong with its bytes. */
  readonly ended: (outcome: WrpcOutcome, problem: string | undefined) => void;
}

/** Why no more calls are taken: the replica stops, or no longer listens for the plugin. */
export type StopCode = "draining" | "plugin-unavailable";

type ParameterValues = readonly [RpcRequest] | readonly [];

type ConnectionState =
  | { readonly kind: "opening" }
  | { readonly kind: "parameters"; readonly called: HandlerFunction; readonly decoder: ValuesDecoder<ParameterValues> }
  /** All parameters are there. */
  | { readonly kind: "complete"; readonly values: ParameterValues }
  /** The request is with the handler. */
  | { readonly kind: "running" }
  | { readonly kind: "replying"; readonly bytes: number; readonly settled: (fate: AnswerFate) => void }
  /** The result is written; the caller's end of the connection is awaited. */
  | { readonly kind: "lingering" }
  /** Why there was no result. */
  | { readonly kind: "ended"; readonly outcome: WrpcOutcome };

const SENT: AnswerFate = { kind: "sent" };
const NOTHING = new Uint8Array(0);
const IGNORE = (): void => undefined;

export class Connection implements RequestOrigin {
  /** When the parameters were there. */
  arrivedMs = 0;
  readonly #socket: Socket;
  readonly #parts: ConnectionOptions;
  readonly #reader = new FrameReader("caller", FIXED_LIMITS.wrpcFrames);
  #state: ConnectionState = { kind: "opening" };
  #deadline: Deadline;
  /** Its part of the replica's count of parameters. */
  #heldBytes = 0;

  /** Reads from the socket, which was accepted at `acceptedMs`. */
  constructor(socket: Socket, acceptedMs: number, parts: ConnectionOptions) {
    this.#socket = socket;
    this.#parts = parts;
    const late = (): void => this.#end(socket.bytesRead > 0 ? "slow" : "silent");
    this.#deadline = parts.deadlines.add(acceptedMs + FIXED_LIMITS.wrpcParametersMs, late);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.#callerEnded());
    socket.on("error", () => this.#lost());
    socket.on("close", () => this.#lost());
  }

  /** Does the caller wait for a result of a request that was taken? */
  get isBusy(): boolean {
    return this.#state.kind === "running" || this.#state.kind === "replying";
  }

  /** Refuses the call with this code, unless it is complete. */
  stop(code: StopCode): void {
    if (this.#state.kind === "opening") this.#end("stopped");
    if (this.#state.kind === "parameters") this.#refuse(failed(code, "its parameters were not all there"));
  }

  /** Closes it now. A request that it brought is settled as dropped. */
  close(): void {
    this.#end("stopped");
    this.#socket.destroy();
  }

  reply({ outcome, replyBytes, settled }: AnswerOptions): void {
    const { result, code } = resultOf(outcome, replyBytes);
    this.#write(encodeFrame(encodeValue(HANDLE_REQUEST.result, result)), (fate) => settled(fate, code));
  }

  #take(chunk: Buffer): void {
    if (this.#state.kind !== "opening" && this.#state.kind !== "parameters") return;
    const nowMs = performance.now();
    for (const event of this.#reader.push(chunk)) {
      this.#handle(event);
      // The rest of a call that was refused is of no interest.
      if (!this.#isReading) break;
    }
    this.#parts.charge(nowMs);
    this.#runIfComplete();
  }

  #runIfComplete(): void {
    if (this.#state.kind === "complete") this.#run(this.#state.values);
  }

  /** May more of its bytes matter? A call that is complete may be followed by bytes that must not be there. */
  get #isReading(): boolean {
    const { kind } = this.#state;
    return kind === "opening" || kind === "parameters" || kind === "complete";
  }

  #handle(event: StreamEvent): void {
    if (event.kind === "malformed") this.#end("malformed", event.problem);
    else if (event.kind === "opening") this.#open(event.opening);
    else if (this.#state.kind === "parameters") this.#decode(this.#state, event.data);
    else this.#end("malformed", "bytes follow the parameters");
  }

  #open({ instance, name }: Opening): void {
    const called = instance === HANDLER_INSTANCE ? HANDLER_FUNCTIONS.get(name) : undefined;
    if (called === undefined) {
      this.#end("unknown-function");
      return;
    }
    const { payloadBytes } = limitsNow(this.#parts.served());
    const decoder = new ValuesDecoder<ParameterValues>(called.parameters, maxParameterBytes(payloadBytes));
    this.#state = { kind: "parameters", called, decoder };
    // A function without parameters is complete.
    this.#decode(this.#state, NOTHING);
  }

  #decode(state: Extract<ConnectionState, { kind: "parameters" }>, data: Uint8Array): void {
    const decoding = state.decoder.push(data);
    this.#hold(state.decoder.heldBytes);
    if (decoding.kind === "decoded") this.#state = { kind: "complete", values: decoding.value };
    else if (decoding.kind !== "more") this.#refuse(refusalOf(decoding));
    else if (!this.#parts.held.isRoom("parameterBytes"))
      this.#refuse(failed("overloaded", "too many parameters have arrived in part"));
  }

  #run(values: ParameterValues): void {
    this.#socket.pause();
    this.#parts.deadlines.cancel(this.#deadline);
    this.arrivedMs = this.#parts.arrived();
    const plugin = this.#parts.served();
    const [request] = values;
    if (request === undefined) {
      this.#sendLevels(plugin);
      return;
    }
    this.#state = { kind: "running" };
    if (plugin === undefined) this.#sendUnserved("plugin-unavailable");
    // Calls that are read in the same turn of the event loop reach the plugin's process as one write, which wakes it once.
    else plugin.turns.defer(() => this.#dispatch(plugin, request));
  }

  #dispatch(plugin: ServedPlugin, request: RpcRequest): void {
    const { handler, newId } = this.#parts;
    handler.take(plugin, this, requestOf(request, newId));
  }

  /** There is no place for an error, so a refusal ends the connection without a result. */
  #sendLevels(plugin: ServedPlugin | undefined): void {
    const declared = declaredLevels(plugin);
    if (declared.kind === "refused") {
      this.#hold(0);
      this.#socket.end();
      this.#linger("unanswerable");
      return;
    }
    this.#write(encodeFrame(encodeValue(GET_ACCESS_LEVELS.result, declared.levels)), IGNORE);
  }

  /** Refuses a call before its parameters are complete. */
  #refuse(failure: Failure): void {
    this.#parts.deadlines.cancel(this.#deadline);
    const { called } = this.#state.kind === "parameters" ? this.#state : {};
    if (called !== HANDLE_REQUEST) {
      this.#end("malformed", failure.message);
      return;
    }
    this.#hold(0);
    this.#state = { kind: "running" };
    this.arrivedMs = performance.now();
    const plugin = this.#parts.served();
    if (plugin === undefined) this.#sendUnserved(failure.code);
    else this.#parts.handler.refuse(plugin, this, failure);
  }

  /** Answers a call of a plugin whose requests this replica does not take. */
  #sendUnserved(code: Failure["code"]): void {
    this.#write(encodeFrame(encodeValue(HANDLE_REQUEST.result, errorResult(code).result)), IGNORE);
  }

  #write(parts: readonly Uint8Array[], settled: (fate: AnswerFate) => void): void {
    const { held, deadlines } = this.#parts;
    if (this.#state.kind === "ended") {
      settled(dropped(this.#state.outcome));
      return;
    }
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const isRoom = held.isRoom("replyBytes", bytes);
    held.add("replyBytes", bytes);
    this.#state = { kind: "replying", bytes, settled };
    if (!isRoom) {
      this.#end("reply-no-room");
      return;
    }
    this.#deadline = deadlines.add(performance.now() + FIXED_LIMITS.wrpcReplyMs, () => this.#end("reply-unread"));
    const socket = this.#socket;
    socket.once("finish", () => this.#written());
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.end();
  }

  #written(): void {
    if (this.#state.kind !== "replying") return;
    const { bytes, settled } = this.#state;
    this.#parts.held.add("replyBytes", -bytes);
    this.#parts.deadlines.cancel(this.#deadline);
    this.#linger("answered");
    settled(SENT);
  }

  /**
   * All that the caller gets is written. What it still sends is discarded: closing with unread bytes would reset the connection,
   * and the caller could not tell that from a lost one.
   */
  #linger(outcome: WrpcOutcome): void {
    const { deadlines, ended } = this.#parts;
    this.#state = { kind: "lingering" };
    ended(outcome, undefined);
    this.#socket.resume();
    if (this.#socket.destroyed) return;
    const untilMs = performance.now() + FIXED_LIMITS.wrpcLingerMs;
    this.#deadline = deadlines.add(untilMs, () => this.#socket.destroy());
  }

  /** The caller sends no more. */
  #callerEnded(): void {
    if (this.#state.kind === "opening" || this.#state.kind === "parameters") this.#lost();
  }

  #lost(): void {
    const { kind } = this.#state;
    if (kind === "lingering") this.#parts.deadlines.cancel(this.#deadline);
    else if (kind !== "opening" && kind !== "parameters") this.#end("caller-gone");
    else this.#end(this.#socket.bytesRead > 0 ? "incomplete" : "silent");
  }

  /** Ends it without a result, unless it has its outcome already. */
  #end(outcome: WrpcOutcome, problem?: string): void {
    const state = this.#state;
    if (state.kind === "ended" || state.kind === "lingering") return;
    const { held, deadlines, ended } = this.#parts;
    this.#state = { kind: "ended", outcome };
    deadlines.cancel(this.#deadline);
    this.#hold(0);
    ended(outcome, problem);
    if (state.kind === "replying") {
      held.add("replyBytes", -state.bytes);
      state.settled(dropped(outcome));
    }
    this.#socket.destroy();
  }

  /** Keeps this much memory for parameters. */
  #hold(bytes: number): void {
    this.#parts.held.add("parameterBytes", bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }
}

function refusalOf(decoding: Exclude<Decoding<unknown>, { readonly kind: "more" | "decoded" }>): Failure {
  if (decoding.kind === "malformed") {
    const problem = `The parameters are malformed: ${decoding.problem}.`;
    return failed("bad-request", problem, { safeText: problem });
  }
  const size = `The parameters have ${decoding.announcedBytes} bytes or more, which the plugin's payload limit does not allow.`;
  return failed("payload-too-large", size, { safeText: size });
}

function dropped(outcome: WrpcOutcome): AnswerFate {
  if (outcome === "reply-unread" || outcome === "reply-no-room") return { kind: "dropped", reason: outcome };
  return { kind: "dropped", reason: outcome === "stopped" ? "connection-closed" : "caller-gone" };
}
