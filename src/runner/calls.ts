/**
 * The calls of a runner: what the host's messages start, answer and cancel. Each call has an instance for
 * itself and ends with exactly one message, unless the host cancelled it: then nothing is sent for it any more.
 * However a call ends, its context is retired, and operations still pending never resolve into the guest.
 *
 * Refuses a call whose number is in use; ignores answers and cancellations of what has ended, since they may
 * have been on their way.
 *
 * @module
 */

import type { Channel } from "../channel/channel.ts";
import { FrameError } from "../channel/codec.ts";
import { isHttpMessage } from "../channel/http-messages.ts";
import type { HostMessage, OperationResult, RunnerMessage } from "../channel/messages.ts";
import type { GuestOutcome, Instance, LevelsOutcome } from "./engine.ts";
import type { CallPort, GuestOperation } from "./guest-context.ts";
import { describeTrap } from "./guest-outcome.ts";
import { HttpExchanges } from "./http-exchanges.ts";
import { operationError } from "./guest-values.ts";
import { Turns } from "./turns.ts";
import type { CallEnding, InstancePool, PreparedInstance } from "./instance-pool.ts";

type CallOutcome = GuestOutcome | LevelsOutcome;

/** What a call asks of its instance. */
interface Task {
  run(instance: Instance): Promise<CallOutcome>;
  /** A probe has no capability. */
  readonly capabilities: "brokered" | "denied";
}

interface RunningCall {
  /** Present once there is an instance. */
  prepared: PreparedInstance | undefined;
  readonly operations: Set<number>;
}

/** Bounds and surroundings of the calls. */
export interface CallsOptions {
  readonly channel: Pick<Channel<RunnerMessage>, "send">;
  readonly pool: InstancePool;
  /** Largest body of a reply, and largest text of a plugin's error. */
  readonly replyBytes: number;
}

export class Calls {
  readonly #options: CallsOptions;
  readonly #running = new Map<number, RunningCall>();
  readonly #turns = new Turns();
  readonly #operations = new Map<number, (result: OperationResult) => void>();
  readonly #exchanges: HttpExchanges;
  #lastOperation = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#exchanges = new HttpExchanges((message) => options.channel.send(message));
  }

  /** Acts on a message of the host. Throws {@link FrameError} where the host broke the protocol. */
  receive(message: HostMessage): void {
    this.#options.pool.noteActivity();
    if (isHttpMessage(message)) {
      this.#exchanges.receive(message);
      return;
    }
    switch (message.kind) {
      case "probe":
        this.#start(message.call, { capabilities: "denied", run: (instance) => instance.getAccessLevels() });
        break;
      case "request":
        this.#start(message.call, {
          capabilities: "brokered",
          run: (instance) => instance.handleRequest(message.request),
        });
        break;
      case "result":
        this.#resume(message.op, message.result);
        break;
      case "cancel":
        this.#end(message.call, "cut-off");
        break;
      case "ping":
        this.#options.channel.send({ kind: "pong", nonce: message.nonce });
        break;
    }
  }

  #start(id: number, task: Task): void {
    if (this.#running.has(id)) throw new FrameError(`call ${id} is running already`);
    const call: RunningCall = { prepared: undefined, operations: new Set() };
    this.#running.set(id, call);
    this.#turns.take(() => {
      const begun = Promise.withResolvers<void>();
      // Cancelled while it waited for its turn.
      if (this.#running.get(id) !== call) begun.resolve();
      else void this.#run(id, call, task, begun.resolve).finally(begun.resolve);
      return begun.promise;
    });
  }

  /** `begun` is called when the guest has returned control for the first time. */
  async #run(id: number, call: RunningCall, task: Task, begun: () => void): Promise<void> {
    const { pool } = this.#options;
    try {
      const prepared = await pool.take();
      // Cancelled while the instance was made.
      if (this.#running.get(id) !== call) return pool.release(prepared, "cut-off");
      call.prepared = prepared;
      const { instance, context } = prepared;
      context.bind(this.#portFor(id, call, task));
      if (context.trapMessage !== undefined) {
        this.#settle(id, call, { kind: "trap", message: context.trapMessage });
        return;
      }
      const outcome = task.run(instance);
      begun();
      this.#settle(id, call, await outcome);
    } catch (thrown) {
      // No instance could be made.
      this.#settle(id, call, describeTrap(thrown));
    }
  }

  #portFor(id: number, call: RunningCall, { capabilities }: Task): CallPort {
    const { channel } = this.#options;
    return {
      log: (level, message) => channel.send({ kind: "log", call: id, level, message }),
      output: (stream, text) => channel.send({ kind: "output", call: id, stream, text }),
      trapped: (message) => this.#settle(id, call, { kind: "trap", message }),
      perform: (operation) =>
        capabilities === "denied"
          ? Promise.resolve({ kind: "error", message: operationError("access-denied") })
          : this.#perform(id, call, operation),
      openHttp: (request, sink) =>
        capabilities === "denied" ? undefined : this.#exchanges.open({ call: id, request, sink }),
    };
  }

  #perform(id: number, call: RunningCall, operation: GuestOperation): Promise<OperationResult> {
    const op = this.#newOperation();
    call.operations.add(op);
    this.#options.channel.send({ ...operation, call: id, op });
    return new Promise((resolve) => {
      this.#operations.set(op, (result) => {
        call.operations.delete(op);
        resolve(result);
      });
    });
  }

  #newOperation(): number {
    // Numbers wrap after four billion operations; one that is still pending by then is skipped.
    do this.#lastOperation = (this.#lastOperation + 1) >>> 0;
    while (this.#operations.has(this.#lastOperation));
    return this.#lastOperation;
  }

  #resume(op: number, result: OperationResult): void {
    const resume = this.#operations.get(op);
    if (resume === undefined) return;
    this.#operations.delete(op);
    resume(result);
  }

  /** Ends a call with its one message; does nothing if it has ended. */
  #settle(id: number, call: RunningCall, outcome: CallOutcome): void {
    if (this.#running.get(id) !== call) return;
    const { channel } = this.#options;
    const droppedBytes = call.prepared?.context.log.finish() ?? 0;
    if (droppedBytes > 0) channel.send({ kind: "dropped", call: id, bytes: droppedBytes });
    channel.send(this.#outcomeMessage(id, outcome));
    this.#end(id, outcome.kind === "trap" ? "cut-off" : "returned");
  }

  #outcomeMessage(call: number, outcome: CallOutcome): RunnerMessage {
    switch (outcome.kind) {
      case "levels":
        return { kind: "levels", call, levels: outcome.levels };
      case "ok": {
        const bytes = outcome.response.body.length;
        return bytes > this.#options.replyBytes
          ? { kind: "oversize", call, bytes }
          : { kind: "response", call, response: outcome.response };
      }
      case "plugin-error": {
        const bytes = Buffer.byteLength(outcome.message);
        return bytes > this.#options.replyBytes
          ? { kind: "oversize", call, bytes }
          : { kind: "plugin-error", call, message: outcome.message };
      }
      case "trap":
        return { kind: "trap", call, message: outcome.message };
    }
  }

  #end(id: number, ending: CallEnding): void {
    const call = this.#running.get(id);
    if (call === undefined) return;
    this.#running.delete(id);
    for (const op of call.operations) this.#operations.delete(op);
    this.#exchanges.endCall(id);
    if (call.prepared !== undefined) this.#options.pool.release(call.prepared, ending);
  }
}
