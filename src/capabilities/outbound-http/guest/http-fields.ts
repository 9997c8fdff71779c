/**
 * The `fields` resource of `wasi:http/types`: header fields with the syntax of RFC 9110, section 5, bounded in
 * number and size. Names are compared without regard to case and kept as the guest wrote them. Fields that belong to the
 * connection are forbidden.
 *
 * @module
 */

import type { Fields as Published } from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import {
  type HttpField,
  isHostsField,
  isHttpFieldValue,
  isHttpToken,
  MAX_HTTP_FIELD_BYTES,
  MAX_HTTP_FIELDS,
} from "../../../contract/http.ts";
import {
  DONE,
  err,
  expectArray,
  expectBytes,
  expectString,
  ok,
  type Result,
} from "../../../runner/guest/guest-values.ts";
import { constructorFor, HOST_ONLY, requireHost, seal } from "../../../runner/guest/namespaces.ts";
import { createTrap } from "../../../runner/guest/trap.ts";
import type { Implementation } from "../../../runner/wasi/published-types.ts";

type HeaderError = { readonly tag: "invalid-syntax" | "forbidden" | "immutable" };
type Entry = [name: string, value: Uint8Array];

const INVALID_SYNTAX: Result<never, HeaderError> = Object.freeze(err<HeaderError>({ tag: "invalid-syntax" }));
const FORBIDDEN: Result<never, HeaderError> = Object.freeze(err<HeaderError>({ tag: "forbidden" }));
const IMMUTABLE: Result<never, HeaderError> = Object.freeze(err<HeaderError>({ tag: "immutable" }));

/** A copy of the entries of the host's fields; throws for anything else. */
let entriesOf: (fields: unknown) => Entry[];

export class Fields implements Implementation<Published> {
  readonly #context: GuestContext;
  readonly #mutable: boolean;
  #entries: Entry[];

  constructor(key: typeof HOST_ONLY, context: GuestContext, entries: Entry[], mutable: boolean) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#entries = entries;
    this.#mutable = mutable;
  }

  get(name: unknown): Uint8Array[] {
    const wanted = expectString(name).toLowerCase();
    return this.#entries.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value.slice());
  }

  has(name: unknown): boolean {
    const wanted = expectString(name).toLowerCase();
    return this.#entries.some(([given]) => given.toLowerCase() === wanted);
  }

  set(name: unknown, values: unknown): Result<undefined, HeaderError> {
    const added = expectArray(values).map((value): Entry => [expectString(name), expectBytes(value)]);
    return this.#change(expectString(name), added, this.#without(name));
  }

  append(name: unknown, value: unknown): Result<undefined, HeaderError> {
    return this.#change(expectString(name), [[expectString(name), expectBytes(value)]], this.#entries);
  }

  delete(name: unknown): Result<undefined, HeaderError> {
    return this.#change(expectString(name), [], this.#without(name));
  }

  entries(): Entry[] {
    return copyEntries(this.#entries);
  }

  clone(): Fields {
    return new Fields(HOST_ONLY, this.#context, copyEntries(this.#entries), true);
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  #without(name: unknown): Entry[] {
    const unwanted = expectString(name).toLowerCase();
    return this.#entries.filter(([given]) => given.toLowerCase() !== unwanted);
  }

  #change(name: string, added: readonly Entry[], kept: readonly Entry[]): Result<undefined, HeaderError> {
    if (!this.#mutable) return IMMUTABLE;
    if (!isHttpToken(name) || !added.every(isValidEntry)) return INVALID_SYNTAX;
    if (isHostsField(name)) return FORBIDDEN;
    this.#entries = bounded([...kept, ...added]);
    return DONE;
  }

  static {
    entriesOf = (fields) => copyEntries((fields as Fields).#entries);
  }
}
seal(Fields);

/** Takes over fields that the guest gave away, and so will not drop; throws for anything else. */
export function takeEntries(fields: unknown): readonly HttpField[] {
  const entries = entriesOf(fields);
  (fields as Fields)[Symbol.dispose]();
  return entries;
}

/** Fields that hold a copy of `entries` and cannot be changed. */
export function immutableFields(context: GuestContext, entries: readonly HttpField[]): Fields {
  return new Fields(HOST_ONLY, context, copyEntries(entries), false);
}

/** The length that the header fields declare for the body, where it is one number: the host refuses anything else. */
export function declaredBytes(fields: readonly HttpField[]): number | undefined {
  const values = fields.filter(([name]) => name.toLowerCase() === "content-length").map(([, value]) => value);
  const text = Buffer.from(values[0] ?? "").toString("latin1");
  return values.length === 1 && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The class with its constructor for guests. */
export function createFieldsClass(context: GuestContext): unknown {
  return constructorFor(Fields, () => new Fields(HOST_ONLY, context, [], true), {
    fromList(list: unknown): Result<Fields, HeaderError> {
      const entries = expectArray(list).map((pair): Entry => {
        const [name, value] = expectArray(pair);
        return [expectString(name), expectBytes(value)];
      });
      if (!entries.every(isValidEntry)) return INVALID_SYNTAX;
      if (entries.some(([name]) => isHostsField(name))) return FORBIDDEN;
      return ok(new Fields(HOST_ONLY, context, bounded(entries), true));
    },
  });
}

function isValidEntry([name, value]: Entry): boolean {
  return isHttpToken(name) && isHttpFieldValue(value);
}

function bounded(entries: Entry[]): Entry[] {
  let bytes = 0;
  for (const [name, value] of entries) bytes += name.length + value.length;
  if (entries.length > MAX_HTTP_FIELDS || bytes > MAX_HTTP_FIELD_BYTES)
    throw createTrap("header fields are too many or too large");
  return entries;
}

function copyEntries(entries: readonly HttpField[]): Entry[] {
  return entries.map(([name, value]): Entry => [name, value.slice()]);
}
