/**
 * What an operator wants to know about a component before it runs.
 *
 * @module
 */

/** A component that passed the gate. */
export interface ComponentSummary {
  readonly componentBytes: number;
  /** Imported interfaces with their versions, in the component's order. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly coreModules: number;
  /** Linear memories that one instance holds; at least 1, as a divisor of the memory limit. */
  readonly memories: number;
  /** Memory of one instance before it ran anything. */
  readonly initialMemoryBytes: number;
  readonly tables: number;
  /** Does its code make objects or exceptions, which V8 keeps on its garbage-collected heap? */
  readonly makesObjects: boolean;
}
