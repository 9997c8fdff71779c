/**
 * The component model's value types that are defined by their name alone: for whoever reads them from a binary,
 * compares them with an interface, plans or executes them.
 *
 * @see https://github.com/WebAssembly/component-model/blob/main/design/mvp/Explainer.md#type-definitions
 * @module
 */

export const PRIMITIVE_TYPES = [
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "f32",
  "f64",
  "char",
  "string",
] as const;

export type PrimitiveType = (typeof PRIMITIVE_TYPES)[number];
