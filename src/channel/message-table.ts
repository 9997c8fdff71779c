/**
 * Tables of messages. An entry lists the fields of a message in order. The message's type, its tag on the wire, its codec
 * and the bound of its frame all follow from the table, and nothing else repeats them. A tag is the entry's index: it may
 * change between versions, because both sides run the same version of the program.
 *
 * @module
 */

import type { Field, FieldSink, FrameMemory, ValueOf } from "./fields.ts";
import type { FieldReader } from "./field-reader.ts";

/** Fields by name, in their order. */
export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** An entry of a table: one message. */
export interface MessageEntry<Fields extends FieldTable = FieldTable> {
  readonly fields: Fields;
  readonly atOnce?: AtOnce<Fields & { readonly kind: Field<string> }> | undefined;
}

/**
 * Reads and writes all fields, in order, without a loop over the table. For messages of every request: an object that
 * grows field by field costs three times as much, and so does a look-up of each field by its name.
 */
export interface AtOnce<Fields> {
  /** Returns one object literal. */
  read(this: void, from: FieldReader): ValuesOf<Fields>;
  write(this: void, value: ValuesOf<Fields>, out: FieldSink): void;
}

/** Messages by kind. */
export type MessageTable = Readonly<Record<string, MessageEntry>>;

type ValuesOf<Fields> = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> };

type Flat<Type> = { [Name in keyof Type]: Type[Name] };

/** Any message of a table. */
export type MessageOf<Table> = Table extends MessageTable
  ? { [Kind in keyof Table]: Flat<{ readonly kind: Kind } & ValuesOf<Table[Kind]["fields"]>> }[keyof Table]
  : never;

/** Makes an entry of a table. */
export function message<const Fields extends FieldTable>(
  fields: Fields,
  atOnce?: AtOnce<Fields & { readonly kind: Field<string> }>,
): MessageEntry<Fields> {
  return { fields, atOnce };
}

/** Several fields as one field of a message. */
export function record<const Fields extends FieldTable>(
  fields: Fields,
  atOnce?: AtOnce<Fields>,
): Field<ValuesOf<Fields>> {
  const codec = new FieldsCodec(undefined, fields);
  return {
    maxBytes: codec.maxBytes,
    memory: codec.memory,
    write: atOnce?.write ?? ((value, out) => codec.write(value, out)),
    read: atOnce?.read ?? ((from) => codec.read(from) as ValuesOf<Fields>),
  };
}

/** One of several cases as a field of a message: a table of its own. `what` names it in a violation. */
export function variant<const Table extends MessageTable>(what: string, table: Table): Field<MessageOf<Table>> {
  const codecs = new TableCodec([table]);
  return {
    maxBytes: 1 + codecs.maxBytes,
    memory: codecs.memory,
    write(value, out) {
      const codec = codecs.of((value as { readonly kind: string }).kind);
      out.u8(codec.tag);
      codec.write(value, out);
    },
    read(from) {
      const tag = from.u8();
      const codec = codecs.at(tag);
      if (codec !== undefined) return codec.read(from) as MessageOf<Table>;
      from.fail(`unknown tag ${tag} of ${what}`);
      return undefined as never;
    },
  };
}

/** The fields of one message or record. */
class FieldsCodec {
  readonly tag: number;
  /** The most bytes that the fields take. */
  readonly maxBytes: number;
  readonly memory: FrameMemory;
  readonly #kind: string | undefined;
  readonly #names: readonly string[];
  readonly #fields: readonly Field<unknown>[];
  readonly #atOnce: AtOnce<FieldTable> | undefined;

  /** `kind` is that of a message; a record has none. */
  constructor(kind: string | undefined, fields: FieldTable, tag = 0, atOnce?: AtOnce<FieldTable>) {
    this.#atOnce = atOnce;
    this.#kind = kind;
    this.tag = tag;
    this.#names = Object.keys(fields);
    this.#fields = Object.values(fields);
    this.maxBytes = this.#fields.reduce((sum, field) => sum + field.maxBytes, 0);
    this.memory = this.#fields.some(({ memory }) => memory === "shared") ? "shared" : "own";
  }

  write(value: object, out: FieldSink): void {
    if (this.#atOnce !== undefined) {
      this.#atOnce.write(value as ValuesOf<FieldTable>, out);
      return;
    }
    const fields = this.#fields;
    const names = this.#names;
    for (let at = 0; at < fields.length; at += 1)
      (fields[at] as Field<unknown>).write((value as Record<string, unknown>)[names[at] as string], out);
  }

  read(from: FieldReader): object {
    if (this.#atOnce !== undefined) return this.#atOnce.read(from);
    const value: Record<string, unknown> = this.#kind === undefined ? {} : { kind: this.#kind };
    const fields = this.#fields;
    const names = this.#names;
    for (let at = 0; at < fields.length; at += 1)
      value[names[at] as string] = (fields[at] as Field<unknown>).read(from);
    return value;
  }
}

/** The codecs of one table, or of several tables joined, by kind and by tag. */
export class TableCodec {
  /** The bound of the largest message. */
  readonly maxBytes: number;
  readonly memory: FrameMemory;
  readonly #byKind = new Map<string, FieldsCodec>();
  readonly #byTag: FieldsCodec[] = [];

  constructor(tables: readonly MessageTable[]) {
    for (const [kind, { fields, atOnce }] of tables.flatMap((table) => Object.entries(table))) {
      const codec = new FieldsCodec(kind, fields, this.#byTag.length, atOnce);
      this.#byKind.set(kind, codec);
      this.#byTag.push(codec);
    }
    const codecs = [...this.#byKind.values()];
    this.maxBytes = Math.max(0, ...codecs.map(({ maxBytes }) => maxBytes));
    this.memory = codecs.some(({ memory }) => memory === "shared") ? "shared" : "own";
  }

  /** The codec of `kind`, which the tables must have. */
  of(kind: string): FieldsCodec {
    return this.#byKind.get(kind) as FieldsCodec;
  }

  at(tag: number): FieldsCodec | undefined {
    return this.#byTag[tag];
  }
}
