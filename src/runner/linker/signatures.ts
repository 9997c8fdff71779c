/**
 * Compiles the types and functions of a plan, each once. After that, a call runs through closures that all instances share
 * (component-model `CanonicalABI.md`, "Flattening", "Lifting and Lowering Values").
 *
 * @module
 */

import { type LinkPlan, MAX_FLAT_PARAMS, type PlanSignature, type PlanType } from "../../contract/link-plan.ts";
import { compileEnum, compileFlags, compileRecord, compileTuple } from "./aggregates.ts";
import type { LiftLowerContext } from "./lift-lower-context.ts";
import { type CompiledType, type FlatValue, NOTHING } from "./compiled-type.ts";
import { compileList } from "./lists.ts";
import { PRIMITIVES } from "./primitives.ts";
import { compileBorrow, compileOwn } from "./resources.ts";
import type { CoreSignature } from "./standing-loop.ts";
import { compileOption, compileResult, compileVariant } from "./variants.ts";

/** Lifts and lowers a function's parameters and result. */
export interface CompiledSignature {
  /** The signature of the core function behind an exported function. */
  readonly core: CoreSignature;
  /** From the arguments of a call by core code to values. */
  liftParams(cx: LiftLowerContext, flat: readonly FlatValue[]): unknown[];
  /** From values to the arguments for a core function. */
  lowerParams(cx: LiftLowerContext, values: readonly unknown[]): FlatValue[];
  /** From what a core function returned to a value. */
  liftResult(cx: LiftLowerContext, returned: FlatValue | undefined): unknown;
  /** From a value to what to return to core code that called with `flat`. */
  lowerResult(cx: LiftLowerContext, value: unknown, flat: readonly FlatValue[]): FlatValue | undefined;
}

/** All signatures of a plan, by index. */
export function compileSignatures({ types: definitions, signatures, resources }: LinkPlan): CompiledSignature[] {
  const types: CompiledType[] = [];
  const typeOf = (type: PlanType): CompiledType => (typeof type === "string" ? PRIMITIVES[type] : at(types, type));
  const optional = (type: PlanType | null): CompiledType | undefined => (type === null ? undefined : typeOf(type));

  const compile = (definition: LinkPlan["types"][number]): CompiledType => {
    switch (definition.kind) {
      case "record":
        return compileRecord(definition.fields.map(([name, type]) => [name, typeOf(type)]));
      case "variant":
        return compileVariant(definition.cases.map(([name, type]) => [name, optional(type)]));
      case "list":
        return compileList(typeOf(definition.element), definition.element);
      case "tuple":
        return compileTuple(definition.elements.map(typeOf));
      case "flags":
        return compileFlags(definition.names);
      case "enum":
        return compileEnum(definition.names);
      case "option": {
        const { some } = definition;
        const isNested = typeof some === "number" && at(definitions, some).kind === "option";
        return compileOption(typeOf(some), isNested);
      }
      case "result":
        return compileResult(optional(definition.ok), optional(definition.err));
      case "own":
        return compileOwn(definition.resource);
      case "borrow":
        return compileBorrow(definition.resource, at(resources, definition.resource));
    }
  };
  for (const definition of definitions) types.push(compile(definition));
  return signatures.map(({ params, result }: PlanSignature) =>
    compileSignature(params.map(typeOf), optional(result) ?? NOTHING),
  );
}

/** The entry at an index that the plan's parser has checked. */
function at<Entry>(entries: readonly Entry[], index: number): Entry {
  return entries[index] as Entry;
}

function compileSignature(params: readonly CompiledType[], result: CompiledType): CompiledSignature {
  const all = compileTuple(params);
  const inMemory = all.flat.length > MAX_FLAT_PARAMS;
  const flatCount = inMemory ? 1 : all.flat.length;
  // MAX_FLAT_RESULTS is 1.
  const resultInMemory = result.flat.length > 1;
  const core: CoreSignature = {
    params: inMemory ? ["i32"] : all.flat,
    results: resultInMemory ? ["i32"] : result.flat,
  };
  return {
    core,
    liftParams(cx, flat) {
      cx.refresh();
      if (!inMemory) return all.liftFlat(cx, flat, 0) as unknown[];
      const pointer = (flat[0] as number) >>> 0;
      cx.memory.check(pointer, all.size, all.align);
      return all.load(cx, pointer) as unknown[];
    },
    lowerParams(cx, values) {
      cx.refresh();
      const flat: FlatValue[] = [];
      if (!inMemory) {
        all.lowerFlat(cx, values, flat, 0);
        return flat;
      }
      const pointer = cx.allocate(all.align, all.size);
      all.store(cx, values, pointer);
      return [pointer];
    },
    liftResult(cx, returned) {
      cx.refresh();
      if (!resultInMemory) return result.liftFlat(cx, returned === undefined ? [] : [returned], 0);
      const pointer = (returned as number) >>> 0;
      cx.memory.check(pointer, result.size, result.align);
      return result.load(cx, pointer);
    },
    lowerResult(cx, value, flat) {
      cx.refresh();
      if (resultInMemory) {
        const pointer = (flat[flatCount] as number) >>> 0;
        cx.memory.checkWrite(pointer, result.size, result.align);
        result.store(cx, value, pointer);
        return undefined;
      }
      const returned: FlatValue[] = [];
      result.lowerFlat(cx, value, returned, 0);
      return returned[0];
    },
  };
}
