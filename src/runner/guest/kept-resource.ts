/**
 * Resources of the host's that an instance may hold from its start and still be put back after a call: those that can
 * say what they keep of a guest's use of them, and forget it again. Every other resource that is held from the start
 * keeps its instance from being put back.
 *
 * The method's name is a symbol, which no guest can name.
 *
 * @module
 */

/** Notes the state of a resource; see {@link KeptResource}. */
export const NOTE_STATE: unique symbol = Symbol("note state");

/** Puts a resource back to the state that was noted. */
export type PutBack = () => void;

export interface KeptResource {
  /** Notes what it keeps now. `undefined` where that is more than it can put back. */
  [NOTE_STATE](): PutBack | undefined;
}

/** For a resource that keeps nothing. */
export function nothingToPutBack(): void {
  // It is as it was.
}

/** Is it a resource that may be held from the start? `rep` is whatever stands behind a handle. */
export function isKeptResource(rep: unknown): rep is KeptResource {
  return typeof rep === "object" && rep !== null && NOTE_STATE in rep;
}
