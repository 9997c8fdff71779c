/**
 * Reads canonical definitions: what lifts core functions, lowers component functions and handles resources
 * (component-model `Binary.md`, "Canonical Definitions").
 *
 * @module
 */

import { STRING_ENCODINGS } from "../contract/link-plan.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { CanonicalOptions, Canon } from "./model.ts";
import { ASYNC_ADVICE } from "./read-value-types.ts";

const OPTION = { memory: 0x03, realloc: 0x04, postReturn: 0x05 } as const;

export function readCanon(reader: ByteReader): Canon {
  const code = reader.u8();
  switch (code) {
    case 0x00:
      expectFunctionSort(reader);
      return { kind: "lift", coreFunc: reader.u32(), options: readOptions(reader), type: reader.u32() };
    case 0x01:
      expectFunctionSort(reader);
      return { kind: "lower", func: reader.u32(), options: readOptions(reader) };
    case 0x02:
      return { kind: "resource-new", type: reader.u32() };
    case 0x03:
      return { kind: "resource-drop", type: reader.u32() };
    case 0x04:
      return { kind: "resource-rep", type: reader.u32() };
    default:
      throw reader.unsupported(`canonical built-in 0x${code.toString(16)} (tasks, streams, threads)`, ASYNC_ADVICE);
  }
}

function expectFunctionSort(reader: ByteReader): void {
  if (reader.u8() !== 0x00) throw reader.malformed("only functions can be lifted and lowered");
}

function readOptions(reader: ByteReader): CanonicalOptions {
  const options: { -readonly [Key in keyof CanonicalOptions]: CanonicalOptions[Key] } = {
    encoding: "utf8",
    memory: undefined,
    realloc: undefined,
    postReturn: undefined,
  };
  reader.vector(() => {
    const code = reader.u8();
    const encoding = STRING_ENCODINGS[code];
    if (encoding !== undefined) options.encoding = encoding;
    else if (code === OPTION.memory) options.memory = reader.u32();
    else if (code === OPTION.realloc) options.realloc = reader.u32();
    else if (code === OPTION.postReturn) options.postReturn = reader.u32();
    else throw reader.unsupported(`canonical option 0x${code.toString(16)} (async, callback)`, ASYNC_ADVICE);
  });
  return options;
}
