/**
 * The calls of a runner, which the host's messages start, answer and cancel. Each call has an instance of its own and ends
 * with exactly one message, unless the host cancelled it: then the runner sends nothing more for it. However a call ends,
 * its context is retired, and pending operations never resolve into the guest.
 *
 * A call whose number is in use is a violation. Answers and cancellations for a call that has ended are ignored: the host
 * may have sent them before it knew of the end.
 *
 * @module
 */

import { isCapabilityToGuest } from "../capabilities/capabilities.ts";
import { deniedPort, GuestLinks } from "../capabilities/guest.ts";
import type { Channel } from "../channel/channel.ts";
import { IdMap } from "../channel/id-map.ts";
import type { HostMessage, RunnerMessage } from "../channel/messages/messages.ts";
import { Violation } from "../channel/violation.ts";
import type { GuestOutcome, Instance, LevelsOutcome } from "./engine.ts";
import type { CallEnding, CallPort } from "./guest/guest-context.ts";
import { describeTrap } from "./guest-outcome.ts";
import { StoppedError } from "./stopping/stopped-error.ts";
import { Turns } from "./turns.ts";
import type { InstancePool, PreparedInstance } from "./instance-pool.ts";

type CallOutcome = GuestOutcome | LevelsOutcome;

/** Its reactions run after the microtask in which a guest that may suspend begins, at the latest. */
const BEGUN = Promise.resolve();

/** What a call does with its instance. */
interface Task {
  run(instance: Instance): CallOutcome | Promise<CallOutcome>;
  /** `denied` for a probe. */
  readonly capabilities: "brokered" | "denied";
  /** Until when the guest may run, as a moment of `machine-clock.ts`. */
  readonly due: number;
}

interface RunningCall {
  readonly task: Task;
  /** Present once there is an instance. */
  prepared: PreparedInstance | undefined;
  /** Has its guest used a capability? */
  usedCapability: boolean;
}

/** What the calls of a runner need. */
export interface CallsOptions {
  readonly channel: Pick<Channel<HostMessage, RunnerMessage>, "send" | "sendNow">;
  readonly pool: InstancePool;
  /** The most bytes of a reply's body, and of the text of a plugin's error. */
  readonly replyBytes: number;
}

/** The running calls of one runner. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #running = new IdMap<RunningCall>();
  readonly #turns = new Turns();
  readonly #links: GuestLinks;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#links = new GuestLinks((message) => options.channel.send(message));
  }

  /** Acts on a message of the host. Returns a violation where the host broke the protocol. */
  receive(message: HostMessage): Violation | undefined {
    this.#options.pool.noteActivity();
    if (isCapabilityToGuest(message)) {
      this.#turns.noteResumption();
      this.#links.receive(message);
      return undefined;
    }
    switch (message.kind) {
      case "probe":
        return this.#start(message.call, {
          capabilities: "denied",
          due: message.due,
          run: (instance) => instance.getAccessLevels(message.due),
        });
      case "request":
        return this.#start(message.call, {
          capabilities: "brokered",
          due: message.due,
          run: (instance) => instance.handleRequest(message.request, message.due),
        });
      case "cancel":
        this.#end(message.call, "cut-off");
        return undefined;
      case "ping":
        // Before the next message is handled: after a pong, the messages that followed the ping may have begun.
        this.#options.channel.sendNow({ kind: "pong", nonce: message.nonce });
        return undefined;
    }
  }

  #start(id: number, task: Task): Violation | undefined {
    if (this.#running.has(id)) return new Violation(`call ${id} is running already`);
    const call: RunningCall = { task, prepared: undefined, usedCapability: false };
    this.#running.set(id, call);
    // The host may cancel the call while it waits for its turn.
    this.#turns.take(() => (this.#running.get(id) === call ? this.#take(id, call) : undefined));
    return undefined;
  }

  /** Gets the call an instance. Settles once its guest has returned control for the first time. */
  #take(id: number, call: RunningCall): Promise<void> | undefined {
    const taken = this.#options.pool.take(call.task.due);
    if (!(taken instanceof Promise)) return this.#run(id, call, taken);
    return taken.then(
      (prepared) => this.#run(id, call, prepared),
      // No instance could be made.
      (thrown: unknown) =>
        this.#settle(id, call, thrown instanceof StoppedError ? { kind: "stopped" } : describeTrap(thrown)),
    );
  }

  #run(id: number, call: RunningCall, prepared: PreparedInstance): Promise<void> | undefined {
    // Cancelled while it waited for the instance.
    if (this.#running.get(id) !== call) {
      this.#options.pool.giveBack(prepared);
      return undefined;
    }
    call.prepared = prepared;
    const { instance, context } = prepared;
    context.bind(this.#portFor(id, call));
    if (context.trapMessage !== undefined) {
      this.#settle(id, call, { kind: "trap", message: context.trapMessage });
      return undefined;
    }
    const outcome = call.task.run(instance);
    if (!(outcome instanceof Promise)) {
      this.#settle(id, call, outcome);
      return undefined;
    }
    void outcome.then((settled) => this.#settle(id, call, settled));
    return BEGUN;
  }

  #portFor(id: number, call: RunningCall): CallPort {
    const { channel } = this.#options;
    const { capabilities } = call.task;
    // Made when the first port is: most calls use few capabilities, and many use none.
    let ports: Map<string, unknown> | undefined;
    return {
      log: (level, message) => channel.send({ kind: "log", call: id, level, message }),
      output: (stream, text) => channel.send({ kind: "output", call: id, stream, text }),
      trapped: (message) => this.#settle(id, call, { kind: "trap", message }),
      capability: (name) => {
        if (capabilities === "denied") return deniedPort(name);
        call.usedCapability = true;
        ports ??= new Map();
        if (!ports.has(name)) ports.set(name, this.#links.port(name, id));
        return ports.get(name);
      },
    };
  }

  /** Ends a call with its one message; does nothing if it has ended. */
  #settle(id: number, call: RunningCall, outcome: CallOutcome): void {
    if (this.#running.get(id) !== call) return;
    const { channel } = this.#options;
    const dropped = call.prepared?.context.finishLog();
    if (dropped !== undefined) channel.send({ kind: "dropped", call: id, dropped });
    channel.send(this.#outcomeMessage(id, outcome));
    this.#end(id, outcome.kind === "trap" || outcome.kind === "stopped" ? "cut-off" : "returned");
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
      case "stopped":
        return { kind: "stopped", call };
    }
  }

  #end(id: number, ending: CallEnding): void {
    const call = this.#running.delete(id);
    if (call === undefined) return;
    if (call.usedCapability) this.#links.endCall(id, ending);
    if (call.prepared !== undefined) this.#options.pool.release(call.prepared, ending);
  }
}
