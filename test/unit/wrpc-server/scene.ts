/** A plugin behind a real wRPC listener: everything is real that is not a process, NATS or a store. */

import { connect, type Socket } from "node:net";
import { vi } from "vitest";
import type { PluginName } from "../../../src/contract/names.ts";
import type { ListenAddress, WrpcTcpSettings } from "../../../src/contract/wrpc-settings.ts";
import type { HostError } from "../../../src/errors/host-error.ts";
import { ThreadShares } from "../../../src/fairness/thread-shares.ts";
import { type WrpcOutcome, WrpcStats } from "../../../src/telemetry/wrpc-stats.ts";
import { encodeFrame, encodeOpening, FrameReader } from "../../../src/wrpc/frames.ts";
import {
  encodeValue,
  HANDLE_REQUEST,
  HANDLER_INSTANCE,
  type HandlerResult,
} from "../../../src/wrpc/handler-functions.ts";
import { ValuesDecoder } from "../../../src/wrpc/values-decoder.ts";
import { WrpcServer } from "../../../src/wrpc-server/wrpc-server.ts";
import { FakeRunner } from "../consumer/fake-runner.ts";
import { NAME, Scene } from "../consumer/scene.ts";
import { until } from "../../../scripts/lib/until.ts";

export const ANY_PORT: ListenAddress = { host: "127.0.0.1", port: 0 };

/** Timers are the test's; sockets and turns of the event loop are real. */
export function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"] });
}

export class WrpcScene {
  readonly consumer: Scene;
  readonly runner = new FakeRunner();
  readonly stats = new WrpcStats();
  readonly server: WrpcServer;
  readonly failures: HostError[] = [];
  readonly details: (string | undefined)[] = [];

  constructor(...options: ConstructorParameters<typeof Scene>) {
    this.consumer = new Scene(...options);
    let ids = 0;
    this.server = new WrpcServer({
      served: (plugin) => this.consumer.consumer.served(plugin),
      handler: this.consumer.handler,
      arrived: () => this.consumer.consumer.arrivedMs(),
      shares: new ThreadShares(2),
      newId: () => `made-${(ids += 1)}`,
      stats: this.stats,
      events: {
        listening: () => undefined,
        closed: () => undefined,
        failed: (error) => this.failures.push(error),
        certificateKept: () => undefined,
        ended: (_plugin, _outcome, detail) => this.details.push(detail),
      },
    });
    this.consumer.consumer.include(this.server);
  }

  /** Listens for the plugin, whose process runs. */
  async open(tls?: WrpcTcpSettings["tls"]): Promise<this> {
    await this.consumer.swap(async () => this.runner).parts.runner?.open();
    await this.consumer.open();
    await this.listen([NAME], tls);
    return this;
  }

  async listen(plugins: readonly string[], tls?: WrpcTcpSettings["tls"]): Promise<void> {
    const settings = { plugins: new Map(plugins.map((name) => [name as PluginName, ANY_PORT])), tls };
    await this.server.follow(settings);
  }

  portOf(plugin: string = NAME): number {
    return Number(/\d+$/.exec(this.server.addresses.get(plugin as PluginName) ?? "")?.[0]);
  }

  /** How often connections ended so. */
  ended(outcome: WrpcOutcome, plugin: string = NAME): number {
    return this.stats.of(plugin).ended.get(outcome) ?? 0;
  }

  async untilEnded(outcome: WrpcOutcome, times = 1): Promise<void> {
    await until(() => Promise.resolve(this.ended(outcome) >= times), { what: `${times} times ${outcome}` });
  }

  /** The process has begun this many calls. */
  async untilBegun(calls = 1): Promise<void> {
    await until(() => Promise.resolve(this.runner.callsBegun >= calls), { what: `${calls} calls` });
  }

  /** Nothing is kept for any connection. */
  async untilNothingIsLeft(): Promise<void> {
    const { stats, consumer } = this;
    const left = (): readonly number[] => [
      stats.open,
      stats.parameterBytes,
      stats.replyBytes,
      consumer.admission.inFlight,
      consumer.stats.inFlight,
    ];
    await until(() => Promise.resolve(left().every((count) => count === 0)), { what: "nothing is left" });
  }
}

/** A caller that sends what a test says. */
export class RawCaller {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #closed = Promise.withResolvers<Buffer>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed.resolve(this.received));
  }

  static async to(port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<RawCaller> {
    const socket = connect({ host: "127.0.0.1", port, ...options });
    const caller = new RawCaller(socket);
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("connect", resolve);
    socket.once("close", () => resolve());
    await promise;
    return caller;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** All that came, once the connection is closed. */
  get closed(): Promise<Buffer> {
    return this.#closed.promise;
  }

  send(bytes: Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Sends no more. */
  end(): this {
    this.socket.end();
    return this;
  }
}

/** The bytes of a call of `handle-request`. */
export function requestBytes(request: { id?: string; method?: string; payload?: Uint8Array } = {}): Buffer {
  const { id = "7", method = "ok", payload = Buffer.from("hi") } = request;
  return Buffer.concat([
    encodeOpening({ instance: HANDLER_INSTANCE, name: "handle-request" }),
    ...encodeFrame(encodeValue(HANDLE_REQUEST.parameters, [{ id, method, payload }])),
  ]);
}

/** The result in the bytes that a caller of `handle-request` got; `undefined` where it is not there. */
export function resultIn(bytes: Uint8Array): HandlerResult | undefined {
  const decoder = new ValuesDecoder(HANDLE_REQUEST.result, 64 * 1024 * 1024);
  for (const event of new FrameReader("callee", 10).push(bytes)) {
    const decoding = event.kind === "data" ? decoder.push(event.data) : undefined;
    if (decoding?.kind === "decoded") return decoding.value;
  }
  return undefined;
}
