/**
 * Walks over the instructions of a function without executing or validating them: where each begins and ends
 * (WebAssembly core specification, 5.4 "Instructions"; the threads proposal, since a memory that is not shared may be
 * accessed atomically). What is not known is refused, and so are the exceptions that WebAssembly had before its standard had
 * any: the transpiler does not take them.
 *
 * @module
 */

import type { HostError } from "../../errors/host-error.ts";
import { CODE_MAX, HAS_MEMORY_INDEX, PREFIX, prefixedOpcode, splitOpcode } from "../../core-wasm/format.ts";
import type { ByteReader } from "../byte-reader.ts";
import { BUILD_FAULTS } from "../build-faults.ts";
import { readValueType, skipBlockType, skipHeapType } from "./value-type.ts";

/** try, catch, rethrow, delegate, catch_all: instructions of exception handling in its legacy form. */
const LEGACY_EXCEPTIONS: ReadonlySet<number> = new Set([0x06, 0x07, 0x09, 0x18, 0x19]);

/** Told of each instruction: its opcode and the range of its bytes. */
export type VisitInstruction = (opcode: number, start: number, end: number) => void;

/** Visits the instructions of one function body, from its locals to its end. */
export function walkBody(body: ByteReader, visit: VisitInstruction): void {
  skipLocals(body);
  walkInstructions(body, visit);
}

/** What a function body declares beside its parameters. */
export interface DeclaredLocals {
  readonly locals: number;
  /** They are declared in groups of one type each. */
  readonly groups: number;
  /** Where the first group begins. */
  readonly groupsStart: number;
}

/** Skips the locals that a body begins with. */
export function skipLocals(body: ByteReader): DeclaredLocals {
  const groups = body.u32();
  const groupsStart = body.offset;
  let locals = 0;
  for (let group = 0; group < groups; group += 1) {
    locals += body.u32();
    readValueType(body);
  }
  return { locals, groups, groupsStart };
}

/** Visits the instructions of a function body whose locals were skipped. */
export function walkInstructions(body: ByteReader, visit: VisitInstruction): void {
  while (!body.atEnd) {
    const start = body.offset;
    const byte = body.u8();
    const opcode = isPrefix(byte) ? prefixedOpcode(byte, readCode(byte, body)) : byte;
    skipImmediates(opcode, body);
    visit(opcode, start, body.offset);
  }
}

function isPrefix(byte: number): boolean {
  return byte >= PREFIX.garbageCollection && byte <= PREFIX.atomic;
}

/** The number behind a prefix byte. */
function readCode(prefix: number, body: ByteReader): number {
  const code = body.u32();
  if (code > CODE_MAX) throw unknown(body, `0x${prefix.toString(16)} 0x${code.toString(16)}`);
  return code;
}

function skipImmediates(opcode: number, body: ByteReader): void {
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) return skipMemoryArgument(body);
  if (opcode > 0xff && skipPrefixedImmediates(opcode, body)) return;
  const skip = IMMEDIATES.get(opcode);
  if (skip === undefined) throw refused(opcode, body);
  skip(body);
}

/** False for an opcode that {@link IMMEDIATES} has a line for. */
function skipPrefixedImmediates(opcode: number, body: ByteReader): boolean {
  const [prefix, code] = splitOpcode(opcode);
  if (prefix === PREFIX.garbageCollection) skipObjectInstruction(code, body);
  else if (prefix === PREFIX.vector) skipVectorInstruction(code, body);
  else if (prefix === PREFIX.atomic) skipAtomicInstruction(code, body);
  return prefix !== PREFIX.more;
}

function refused(opcode: number, body: ByteReader): HostError {
  const name = `0x${opcode.toString(16)}`;
  if (LEGACY_EXCEPTIONS.has(opcode))
    return body.unsupported(`legacy exception handling (instruction ${name})`, BUILD_FAULTS.legacyExceptions.remedy);
  return unknown(body, name);
}

function unknown(body: ByteReader, name: string): HostError {
  return body.unsupported(`instruction ${name}`, BUILD_FAULTS.proposals.remedy);
}

type Skip = (body: ByteReader) => void;

const NONE: Skip = () => undefined;
const INDEX: Skip = (body) => body.skipLeb(32);
const TWO_INDICES: Skip = (body) => {
  body.skipLeb(32);
  body.skipLeb(32);
};

/** Opcode → skips what follows it. */
const IMMEDIATES = new Map<number, Skip>([
  // unreachable, nop, else, throw_ref, end, return, drop, select, ref.is_null, ref.eq, ref.as_non_null
  ...[0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1, 0xd3, 0xd4].map((code): [number, Skip] => [code, NONE]),
  // block, loop, if
  ...[0x02, 0x03, 0x04].map((code): [number, Skip] => [code, skipBlockType]),
  // throw, br, br_if, call, return_call, call_ref, return_call_ref
  ...[0x08, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15].map((code): [number, Skip] => [code, INDEX]),
  // local.get to global.set, table.get, table.set, memory.size, memory.grow
  ...[0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40].map((code): [number, Skip] => [code, INDEX]),
  // ref.func, br_on_null, br_on_non_null
  ...[0xd2, 0xd5, 0xd6].map((code): [number, Skip] => [code, INDEX]),
  // call_indirect, return_call_indirect
  ...[0x11, 0x13].map((code): [number, Skip] => [code, TWO_INDICES]),
  [0x0e, skipBranchTable],
  [0x1c, skipSelectTypes],
  [0x1f, skipTryTable],
  [0x41, (body) => body.skipLeb(32)],
  [0x42, (body) => body.skipLeb(64)],
  [0x43, (body) => body.skip(4)],
  [0x44, (body) => body.skip(8)],
  [0xd0, skipHeapType],
  // Saturating conversions
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((code): [number, Skip] => [prefixedOpcode(PREFIX.more, code), NONE]),
  // data.drop, memory.fill, elem.drop, table.grow, table.size, table.fill
  ...[0x09, 0x0b, 0x0d, 0x0f, 0x10, 0x11].map((code): [number, Skip] => [prefixedOpcode(PREFIX.more, code), INDEX]),
  // memory.init, memory.copy, table.init, table.copy
  ...[0x08, 0x0a, 0x0c, 0x0e].map((code): [number, Skip] => [prefixedOpcode(PREFIX.more, code), TWO_INDICES]),
]);

/** Alignment, perhaps a memory's index, and an offset. */
function skipMemoryArgument(body: ByteReader): void {
  if ((body.u32() & HAS_MEMORY_INDEX) !== 0) body.skipLeb(32);
  body.skipLeb(64);
}

function skipBranchTable(body: ByteReader): void {
  const count = body.u32();
  for (let label = 0; label <= count; label += 1) body.skipLeb(32);
}

function skipSelectTypes(body: ByteReader): void {
  const count = body.u32();
  for (let type = 0; type < count; type += 1) readValueType(body);
}

function skipTryTable(body: ByteReader): void {
  skipBlockType(body);
  const count = body.u32();
  for (let clause = 0; clause < count; clause += 1) {
    // catch and catch_ref name a tag; catch_all and catch_all_ref do not.
    if (body.u8() < 2) body.skipLeb(32);
    body.skipLeb(32);
  }
}

/** Number behind the prefix of garbage collection → skips what follows it. */
const OBJECT_IMMEDIATES = new Map<number, Skip>([
  // struct.new, struct.new_default, array.new, array.new_default, array.get, array.get_s, array.get_u, array.set, array.fill
  ...[0x00, 0x01, 0x06, 0x07, 0x0b, 0x0c, 0x0d, 0x0e, 0x10].map((code): [number, Skip] => [code, INDEX]),
  // struct.get, struct.get_s, struct.get_u, struct.set
  ...[0x02, 0x03, 0x04, 0x05].map((code): [number, Skip] => [code, TWO_INDICES]),
  // array.new_fixed, array.new_data, array.new_elem, array.copy, array.init_data, array.init_elem
  ...[0x08, 0x09, 0x0a, 0x11, 0x12, 0x13].map((code): [number, Skip] => [code, TWO_INDICES]),
  // array.len, any.convert_extern, extern.convert_any, ref.i31, i31.get_s, i31.get_u
  ...[0x0f, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e].map((code): [number, Skip] => [code, NONE]),
  // ref.test and ref.cast, each for a reference that may be null and for one that may not
  ...[0x14, 0x15, 0x16, 0x17].map((code): [number, Skip] => [code, skipHeapType]),
  // br_on_cast, br_on_cast_fail
  ...[0x18, 0x19].map((code): [number, Skip] => [code, skipCastBranch]),
]);

function skipObjectInstruction(code: number, body: ByteReader): void {
  const skip = OBJECT_IMMEDIATES.get(code);
  if (skip === undefined) throw unknown(body, `0xfb 0x${code.toString(16)}`);
  skip(body);
}

/** Which of the two types may be null, a label, and the two types. */
function skipCastBranch(body: ByteReader): void {
  body.skip(1);
  body.skipLeb(32);
  skipHeapType(body);
  skipHeapType(body);
}

const VECTOR = {
  loadsEnd: 11,
  const: 12,
  shuffle: 13,
  lanes: [21, 34],
  laneAccess: [84, 91],
  zeroLoads: [92, 93],
} as const;

function skipVectorInstruction(code: number, body: ByteReader): void {
  if (code <= VECTOR.loadsEnd) skipMemoryArgument(body);
  else if (code === VECTOR.const || code === VECTOR.shuffle) body.skip(16);
  else if (code >= VECTOR.lanes[0] && code <= VECTOR.lanes[1]) body.skip(1);
  else if (code >= VECTOR.laneAccess[0] && code <= VECTOR.zeroLoads[1]) {
    skipMemoryArgument(body);
    if (code <= VECTOR.laneAccess[1]) body.skip(1);
  }
}

const ATOMIC = { fence: 0x03, accesses: [0x10, 0x4e] } as const;

function skipAtomicInstruction(code: number, body: ByteReader): void {
  if (code === ATOMIC.fence) body.skip(1);
  // Below the fence: notify and wait.
  else if (code < ATOMIC.fence || (code >= ATOMIC.accesses[0] && code <= ATOMIC.accesses[1])) skipMemoryArgument(body);
  else throw unknown(body, `0xfe 0x${code.toString(16)}`);
}
