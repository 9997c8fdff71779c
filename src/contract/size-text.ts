/**
 * Sizes as operators write them: `512KiB`, `64MiB`, `4GiB` (powers of 1024).
 *
 * @module
 */

/** A size with its unit. */
export const SIZE_TEXT: RegExp = /^([0-9]{1,7})(KiB|MiB|GiB)$/;

/** Bytes of each unit, the largest first. */
export const SIZE_UNITS = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024 } as const;

/** Bytes of a size with its unit; `NaN` where the text is not one. */
export function parseSizeText(text: string): number {
  const [, digits = "", unit = ""] = SIZE_TEXT.exec(text) ?? [];
  return Number(digits) * (new Map<string, number>(Object.entries(SIZE_UNITS)).get(unit) ?? Number.NaN);
}
