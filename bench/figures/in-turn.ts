/**
 * The order in which neighbours are measured. Pure.
 *
 * @module
 */

/** Every second round goes the other way round, so that a machine that becomes slower favours none. */
export function inTurn<Of>(all: readonly Of[], round: number): readonly Of[] {
  return round % 2 === 1 ? all : all.toReversed();
}
