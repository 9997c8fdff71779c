import type { Outcome, RpcRequest } from "../../../src/contract/request.ts";
import type { RunnerCall } from "../../../src/supervisor/process/runner-call.ts";
import type { CpuSample, Runner, RunnerExit } from "../../../src/supervisor/process/runner.ts";

/** A call that was begun on a runner. */
export interface BegunCall {
  readonly id: number;
  readonly request: RpcRequest;
  readonly call: RunnerCall;
}

/** A process that does with its calls what the test says. */
export class FakeRunner implements Runner {
  readonly isQuiet = true;
  readonly isLate = false;
  readonly isHog = false;
  readonly callsUnbegun = 0;
  readonly exited: Promise<RunnerExit>;
  readonly proven: Promise<void> = new Promise(() => undefined);
  /** How many calls were given up that had ended. */
  cancelledInVain = 0;
  isReady = true;
  callsBegun = 0;
  /** The next call cannot be begun. */
  isBroken = false;
  readonly #open = new Map<number, BegunCall>();
  readonly #exit = Promise.withResolvers<RunnerExit>();
  #drained: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.exited = this.#exit.promise;
  }

  get callsInFlight(): number {
    return this.#open.size;
  }

  /** Calls that it has not ended and that were not given up. */
  get open(): readonly BegunCall[] {
    return [...this.#open.values()];
  }

  watchLateness(): void {}

  recall(): void {}

  begin(request: RpcRequest, call: RunnerCall): number {
    if (this.isBroken) throw new TypeError("a bug of the runner's");
    this.callsBegun += 1;
    const id = this.callsBegun;
    if (this.isReady) this.#open.set(id, { id, request, call });
    else queueMicrotask(() => call.returned());
    return id;
  }

  /** The process says how a call ended. */
  end({ id, call }: BegunCall, outcome: Outcome): void {
    if (!this.#open.delete(id)) return;
    call.settle(outcome);
    this.#noteEmpty();
  }

  cancel(id: number): void {
    if (this.#open.delete(id)) this.#noteEmpty();
    else this.cancelledInVain += 1;
  }

  /** The process ends by itself; its calls are lost. */
  die(expected = false): void {
    if (!this.isReady) return;
    this.isReady = false;
    const lost = this.open;
    this.#open.clear();
    for (const { call } of lost) call.settle(LOST);
    this.#noteEmpty();
    this.#exit.resolve({ reason: "it died", stderr: "", expected, wasHog: false });
  }

  async drain(): Promise<void> {
    if (this.#open.size > 0) {
      this.#drained ??= Promise.withResolvers();
      await this.#drained.promise;
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.die(true);
  }

  async probe(): Promise<number> {
    return 0;
  }

  cpuSample(): CpuSample | undefined {
    return undefined;
  }

  #noteEmpty(): void {
    if (this.#open.size === 0) this.#drained?.resolve();
  }
}

const LOST: Outcome = { kind: "failed", code: "runner-lost", message: "it died" };
