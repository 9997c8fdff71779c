/**
 * Resources of the host that an instance may hold from its start and still be put back after a call: those that can note
 * the state that a guest's use of them changes, and return to it. An instance that holds any other resource from its start
 * is never put back.
 *
 * The method's name is a symbol, so no guest can call the method.
 *
 * @module
 */

/** Notes the state of a resource; see {@link KeptResource}. */
export const NOTE_STATE: unique symbol = Symbol("note state");

/** Puts a resource back to the state that was noted. */
export type PutBack = () => void;

/** A resource that can return to a state that it has noted. */
export interface KeptResource {
  /** Notes the resource's state now. Returns `undefined` where it could not return to that state. */
  [NOTE_STATE](): PutBack | undefined;
}

/** For a resource without state. */
export function nothingToPutBack(): void {
  // Its state cannot have changed.
}

/** May an instance hold this resource from its start and be put back? `rep` is the representation behind any handle. */
export function isKeptResource(rep: unknown): rep is KeptResource {
  return typeof rep === "object" && rep !== null && NOTE_STATE in rep;
}
