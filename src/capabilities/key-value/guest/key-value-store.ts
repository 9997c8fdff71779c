/**
 * The contract's `key-value-store`: a handle holds a bucket's name and nothing else. The host decides on every operation
 * whether bucket and operation are allowed. Errors come from `get` and `set`, because the contract's constructor cannot
 * fail.
 *
 * @module
 */

import { PLUGIN_LIMITS } from "../../../contract/limits.ts";
import { MAX_BUCKET_CHARACTERS } from "../../../contract/names.ts";
import type { ErrorCode } from "../../../errors/table.ts";
import { type GuestContext, pendingForEver } from "../../../runner/guest/guest-context.ts";
import {
  DONE,
  err,
  expectBytes,
  expectString,
  ok,
  operationError,
  type Result,
} from "../../../runner/guest/guest-values.ts";
import { type KeptResource, NOTE_STATE, nothingToPutBack, type PutBack } from "../../../runner/guest/kept-resource.ts";
import {
  constructorFor,
  HOST_ONLY,
  type Namespace,
  namespace,
  requireHost,
  seal,
} from "../../../runner/guest/namespaces.ts";
import type { KeyValueOperation, KeyValueResult } from "../messages.ts";
import { KEY_VALUE_PORT } from "./link.ts";

class KeyValueStore implements KeptResource {
  readonly #context: GuestContext;
  readonly #bucket: string;

  constructor(key: typeof HOST_ONLY, context: GuestContext, bucket: string) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#bucket = bucket;
  }

  async get(key: unknown): Promise<Result<Uint8Array | undefined, string>> {
    const refusal = this.#refusal(expectString(key), 0);
    if (refusal !== undefined) return err(operationError(refusal));
    const result = await this.#perform({ kind: "get", bucket: this.#bucket, key: key as string });
    switch (result.kind) {
      case "value":
        return ok(result.value);
      case "none":
        return ok(undefined);
      case "error":
        return err(result.message);
    }
  }

  async set(key: unknown, value: unknown): Promise<Result<undefined, string>> {
    const bytes = expectBytes(value);
    const refusal = this.#refusal(expectString(key), bytes.length);
    if (refusal !== undefined) return err(operationError(refusal));
    const result = await this.#perform({ kind: "set", bucket: this.#bucket, key: key as string, value: bytes });
    return result.kind === "error" ? err(result.message) : DONE;
  }

  [NOTE_STATE](): PutBack {
    return nothingToPutBack;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  #perform(operation: KeyValueOperation): Promise<KeyValueResult> {
    return this.#context.port(KEY_VALUE_PORT)?.perform(operation) ?? pendingForEver();
  }

  /** Refuses only what no policy could allow; the host checks the plugin's own limits. */
  #refusal(key: string, valueBytes: number): ErrorCode | undefined {
    if (this.#bucket.length > MAX_BUCKET_CHARACTERS) return "invalid-bucket";
    if (key.length > PLUGIN_LIMITS.keyBytes.max) return "invalid-key";
    if (valueBytes > PLUGIN_LIMITS.valueBytes.max) return "value-too-large";
    return undefined;
  }
}
seal(KeyValueStore);

export function createKeyValueStore(context: GuestContext): Namespace {
  const create = (bucket: unknown): object => new KeyValueStore(HOST_ONLY, context, expectString(bucket));
  return namespace({ KeyValueStore: constructorFor(KeyValueStore, create) });
}
