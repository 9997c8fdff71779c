/**
 * The calls over NATS whose parameters have not all arrived: each has a subject that nobody can guess, and waits for a bounded
 * time. Their count and the bytes that they hold are bounded, too.
 *
 * Callers are asked for the rest of their parameters in turn, for so many bytes of a plugin at a time: a NATS server ends the
 * connection of a replica that does not read what it sends, which many large calls at once would come to.
 *
 * @module
 */

import { failed, type Failure } from "../../consumer/failure.ts";
import type { ServedPlugin } from "../../consumer/served-plugin.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { RpcRequest } from "../../contract/request.ts";
import type { DeadlineTimer } from "../../scheduling/deadline-timer.ts";
import type { Deadline } from "../../scheduling/deadline-wheel.ts";
import type { WrpcStats } from "../../telemetry/wrpc-stats.ts";
import type { Decoding, ValuesDecoder } from "../../wrpc/values-decoder.ts";
import { HeldBytes } from "../held-bytes.ts";
import type { Invocation } from "./invocation.ts";

/** The parameters of `handle-request`. */
export type RequestParameters = readonly [RpcRequest];

/** How parameters ended: complete, not valid, or given up. */
export type ParametersOutcome = Exclude<Decoding<RequestParameters>, { readonly kind: "more" }> | Failure;

/** A call whose parameters have begun to arrive. */
export interface BegunCall {
  readonly plugin: ServedPlugin;
  readonly invocation: Invocation;
  readonly decoder: ValuesDecoder<RequestParameters>;
}

interface OpenCall extends BegunCall {
  readonly token: string;
  /** All parameters must be there then. */
  readonly dueMs: number;
  readonly ofPlugin: PluginCalls;
  deadline: Deadline | undefined;
  heldBytes: number;
  /** What it was asked for and has not sent. */
  awaitedBytes: number;
}

/** The calls of one plugin. */
interface PluginCalls {
  readonly held: HeldBytes;
  count: number;
  /** What they were asked for and have not sent. */
  awaitedBytes: number;
  /** Those that are not asked yet, in the order in which they came. */
  readonly waiting: Set<OpenCall>;
}

export interface OpenParametersOptions {
  readonly stats: WrpcStats;
  readonly deadlines: DeadlineTimer;
  /** Makes the last token of a call's subject. */
  readonly newToken: () => string;
  /** Asks for the rest of the parameters; false while the connection carries no messages. */
  readonly ask: (call: BegunCall, token: string) => boolean;
  /** The parameters are all there, or never will be. Called once for each call that was opened. */
  readonly ended: (call: BegunCall, outcome: ParametersOutcome) => void;
}

/** Hint for a caller that found no place. */
const RETRY_AFTER_MS = 100;

export class OpenParameters {
  readonly #parts: OpenParametersOptions;
  readonly #open = new Map<string, OpenCall>();
  readonly #plugins = new Map<ServedPlugin, PluginCalls>();
  #state: "open" | "stopped" = "open";

  constructor(parts: OpenParametersOptions) {
    this.#parts = parts;
  }

  /** How many calls wait for parameters. */
  get count(): number {
    return this.#open.size;
  }

  /** Waits for the call's parameters until `dueMs`. Returns why it may not wait, where it may not. */
  open(call: BegunCall, dueMs: number): Failure | undefined {
    const { plugin, decoder } = call;
    if (this.#state === "stopped") return failed("draining", "its parameters were not there");
    const ofPlugin = this.#plugins.get(plugin) ?? this.#callsOf(plugin);
    if (this.#open.size >= FIXED_LIMITS.wrpcOpenParameters || ofPlugin.count >= FIXED_LIMITS.wrpcPluginOpenParameters)
      return overloaded("too many calls wait for parameters");
    if (!ofPlugin.held.isRoom("parameterBytes", decoder.heldBytes)) return noRoom();
    const token = this.#parts.newToken();
    const opened: OpenCall = { ...call, token, dueMs, ofPlugin, deadline: undefined, heldBytes: 0, awaitedBytes: 0 };
    this.#open.set(token, opened);
    this.#plugins.set(plugin, ofPlugin);
    ofPlugin.count += 1;
    ofPlugin.waiting.add(opened);
    this.#account(opened);
    this.#expectUntil(opened, dueMs);
    this.#askWaiting(ofPlugin);
    return undefined;
  }

  /** Takes a message of a call's subject; an empty one is the end of the parameters. */
  take(token: string, data: Uint8Array): void {
    const call = this.#open.get(token);
    // Of a call that has ended: the end of parameters that are complete, or what comes after a refusal.
    if (call === undefined) return;
    if (data.length === 0) {
      this.#end(call, { kind: "malformed", problem: "the parameters end too early" });
      return;
    }
    const decoding = call.decoder.push(data);
    if (decoding.kind !== "more") this.#end(call, decoding);
    else {
      this.#account(call);
      this.#expectMore(call);
      this.#await(call, call.decoder.missingBytes);
      if (!call.ofPlugin.held.isRoom("parameterBytes")) this.#end(call, noRoom());
    }
  }

  /** Ends every call that waits, and lets none wait from now on. */
  stop(): void {
    this.#state = "stopped";
    for (const call of this.#open.values()) this.#end(call, failed("draining", "its parameters were not there"));
  }

  #callsOf(plugin: ServedPlugin): PluginCalls {
    const { stats } = this.#parts;
    return { held: new HeldBytes(stats, stats.of(plugin.slot.name)), count: 0, awaitedBytes: 0, waiting: new Set() };
  }

  /** Asks those that wait, as long as there is room for their parameters. A call for which there never is has it alone. */
  #askWaiting(ofPlugin: PluginCalls): void {
    if (this.#state === "stopped") return;
    for (const call of ofPlugin.waiting) {
      const { missingBytes } = call.decoder;
      const { awaitedBytes } = ofPlugin;
      if (awaitedBytes > 0 && awaitedBytes + missingBytes > FIXED_LIMITS.wrpcPluginAwaitedBytes) return;
      ofPlugin.waiting.delete(call);
      ofPlugin.awaitedBytes += missingBytes;
      call.awaitedBytes = missingBytes;
      this.#expectMore(call);
      if (!this.#parts.ask(call, call.token))
        this.#end(call, failed("plugin-unavailable", "the connection to NATS carries no messages"));
    }
  }

  /** So many bytes are still to come. */
  #await(call: OpenCall, bytes: number): void {
    const { ofPlugin } = call;
    ofPlugin.awaitedBytes += bytes - call.awaitedBytes;
    call.awaitedBytes = bytes;
    this.#askWaiting(ofPlugin);
  }

  /** The next message must come before the pause is too long. */
  #expectMore(call: OpenCall): void {
    this.#expectUntil(call, Math.min(call.dueMs, performance.now() + FIXED_LIMITS.wrpcParametersPauseMs));
  }

  #expectUntil(call: OpenCall, untilMs: number): void {
    const { deadlines } = this.#parts;
    if (call.deadline !== undefined) deadlines.cancel(call.deadline);
    call.deadline = deadlines.add(untilMs, () =>
      this.#end(call, failed("deadline-exceeded", "its parameters did not arrive in time")),
    );
  }

  #end(call: OpenCall, outcome: ParametersOutcome): void {
    this.#remove(call);
    this.#parts.ended(call, outcome);
  }

  #remove(call: OpenCall): void {
    const { plugin, ofPlugin, token, deadline, heldBytes } = call;
    if (deadline !== undefined) this.#parts.deadlines.cancel(deadline);
    this.#open.delete(token);
    ofPlugin.held.add("parameterBytes", -heldBytes);
    ofPlugin.waiting.delete(call);
    ofPlugin.count -= 1;
    this.#await(call, 0);
    if (ofPlugin.count === 0) this.#plugins.delete(plugin);
  }

  #account(call: OpenCall): void {
    const { heldBytes } = call.decoder;
    call.ofPlugin.held.add("parameterBytes", heldBytes - call.heldBytes);
    call.heldBytes = heldBytes;
  }
}

function noRoom(): Failure {
  return overloaded("too many bytes wait for further parameters");
}

function overloaded(message: string): Failure {
  return failed("overloaded", message, { retryAfterMs: RETRY_AFTER_MS });
}
