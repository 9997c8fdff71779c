import { HostError } from "../../../src/errors/host-error.ts";
import type { ErrorCode } from "../../../src/errors/table.ts";
import type { KeyAddress, KeyValueStore, OperationOptions } from "../../../src/kv/store.ts";

/** One operation that reached the store. */
export interface RecordedOperation {
  readonly kind: "get" | "set";
  readonly address: KeyAddress;
  readonly timeoutMs: number;
  readonly caller: string | undefined;
}

/** A store in memory that remembers what it was asked, and fails or hangs when told to. */
export class RecordingStore implements KeyValueStore {
  readonly kind = "recording";
  readonly operations: RecordedOperation[] = [];
  readonly #values = new Map<string, Uint8Array>();
  #failure: HostError | Error | undefined;
  #gate: Promise<void> | undefined;

  /** From now on operations fail with this. */
  failWith(failure: ErrorCode | Error): void {
    this.#failure =
      failure instanceof Error
        ? failure
        : new HostError(failure, "mongodb://user:secret@db.internal:27017 said no", { cause: new Error("secret") });
  }

  /** From now on operations wait until the function it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async get(address: KeyAddress, { timeoutMs, caller }: OperationOptions): Promise<Uint8Array | undefined> {
    this.operations.push({ kind: "get", address, timeoutMs, caller });
    await this.#act();
    return this.#values.get(JSON.stringify(address));
  }

  async set(address: KeyAddress, value: Uint8Array, { timeoutMs, caller }: OperationOptions): Promise<void> {
    this.operations.push({ kind: "set", address, timeoutMs, caller });
    await this.#act();
    this.#values.set(JSON.stringify(address), Uint8Array.from(value));
  }

  async ping(): Promise<void> {}

  trouble(): undefined {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #act(): Promise<void> {
    await this.#gate;
    if (this.#failure !== undefined) throw this.#failure;
  }
}
