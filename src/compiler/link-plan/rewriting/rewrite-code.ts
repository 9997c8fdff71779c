/**
 * Runs passes over the code of a core module: one walk of each function body for all of them.
 *
 * @module
 */

import type { ByteReader } from "../../../component/byte-reader.ts";
import { skipLocals, walkInstructions } from "../../../component/core/instructions.ts";
import { type DefinedType, walkTypes } from "../../../component/core/types.ts";
import { ByteWriter } from "../../../core-wasm/byte-writer.ts";
import { SECTION } from "../../../core-wasm/format.ts";
import { refusal } from "../refusal.ts";
import { BodyEdits, type EditedFunction } from "./body-edits.ts";
import type { ModuleEdits } from "./module-edits.ts";
import type { Pass } from "./pass.ts";

/** Where the offsets of branches in the code are: it would be wrong afterwards. */
const BRANCH_HINTS = "metadata.code.branch_hint";

/** The largest function body that V8 compiles (`kV8MaxWasmFunctionSize`). */
const BODY_MAX_BYTES = 7_654_321;

/** Rewrites the module's function bodies. What the passes add to the module is not walked. */
export function rewriteCode(edits: ModuleEdits, passes: readonly Pass[]): void {
  const { sections } = edits;
  const code = sections.read(SECTION.code);
  if (code === undefined || passes.length === 0) return;
  const signatures = signaturesOf(edits);
  const count = code.u32();
  const section = new ByteWriter().u32(count);
  const byOpcode = indexed(passes);
  for (let place = 0; place < count; place += 1) {
    const { params, results } = signatures[place] ?? NO_SIGNATURE;
    const func = { index: edits.imported("func") + place, params, results, locals: params.length };
    const body = rewriteBody(code.sub(code.u32()), func, passes, byOpcode);
    if (body.length > BODY_MAX_BYTES) throw refusal("a function is too large when it is rewritten");
    section.u32(body.length).bytes(body);
  }
  sections.replace(SECTION.code, section.finish());
  sections.removeCustom(BRANCH_HINTS);
}

type Signature = Extract<DefinedType, { kind: "function" }>;

const NO_SIGNATURE: Signature = { kind: "function", params: [], results: [] };

/** The signatures of the functions that the module defines. */
function signaturesOf({ sections }: ModuleEdits): Signature[] {
  const types: DefinedType[] = [];
  const typeSection = sections.read(SECTION.type);
  if (typeSection !== undefined) walkTypes(typeSection, (type) => types.push(type));
  const signatures: Signature[] = [];
  sections.read(SECTION.function)?.skipVector((reader) => {
    const type = types[reader.u32()];
    signatures.push(type?.kind === "function" ? type : NO_SIGNATURE);
  });
  return signatures;
}

function indexed(passes: readonly Pass[]): ReadonlyMap<number, readonly Pass[]> {
  const byOpcode = new Map<number, Pass[]>();
  for (const pass of passes)
    for (const opcode of pass.opcodes) byOpcode.set(opcode, [...(byOpcode.get(opcode) ?? []), pass]);
  return byOpcode;
}

function rewriteBody(
  body: ByteReader,
  func: EditedFunction,
  passes: readonly Pass[],
  byOpcode: ReadonlyMap<number, readonly Pass[]>,
): Uint8Array {
  const bytes = body.rest();
  const first = body.offset;
  const { groups, groupsStart, locals } = skipLocals(body);
  const codeStart = body.offset - first;
  const edits = new BodyEdits({ ...func, locals: func.locals + locals }, bytes, codeStart);
  for (const pass of passes) pass.enter?.(edits);
  edits.apply(codeStart, codeStart);
  walkInstructions(body, (opcode, start, end) => {
    const concerned = byOpcode.get(opcode);
    if (concerned === undefined) return;
    const instruction = { opcode, bytes: bytes.subarray(start - first, end - first) };
    for (const pass of concerned) pass.visit(instruction, edits);
    edits.apply(start - first, end - first);
  });
  return edits.finish(groups, groupsStart - first, codeStart);
}
