/**
 * The definition of a capability: all that other parts of the host need to know of it without its code. It tells the
 * compiler which functions suspend a guest, the runner which interfaces there are, the protocol the messages, and the
 * counters the operations and the access level that each needs.
 *
 * A capability is one folder: this definition, its messages, and its two sides, which never import each other. The guest
 * side runs in a plugin's process and asks. The host side runs in the host, decides and acts.
 *
 * @module
 */

import type { MessageTable } from "../channel/message-table.ts";
import type { AccessLevel } from "../contract/access-levels.ts";

/** The metric that counts a capability's operations. */
export interface CapabilityCounter {
  /** The metric's name. */
  readonly name: string;
  readonly help: string;
  /** Is the operation a label of the metric? Not where there is only one. */
  readonly hasOperationLabel: boolean;
  /** The outcome of operations that were not allowed: these do not count as uses of the access level. */
  readonly deniedOutcome: string;
}

/** The definition of one capability. */
export interface Capability {
  readonly name: string;
  /** The interfaces of the capability, without versions. */
  readonly interfaces: readonly string[];
  /** The interface whose import shows that a plugin uses the capability. */
  readonly entry: string;
  /** The only version that plugins may import, where the interfaces are neither the contract's nor of WASI 0.2. */
  readonly version?: string;
  /** Imports that return a promise where a component imports one of the interfaces: `interface#function`, without versions. */
  readonly suspending: readonly string[];
  /**
   * Whole interfaces, and single functions, that answer each instance alike before its first call, at any time: see
   * `runner/linker/answers-alike.ts`.
   */
  readonly alike: readonly string[];
  /** Operations, and the access level that each needs; an operation without one is allowed to any plugin that may run. */
  readonly operations: Readonly<Record<string, AccessLevel | undefined>>;
  /** Absent where nothing is counted. */
  readonly counter?: CapabilityCounter;
  readonly messages: CapabilityMessages;
}

/** The messages of a capability, for each direction. */
export interface CapabilityMessages {
  /** From a runner. */
  readonly toHost: MessageTable;
  /** To a runner. */
  readonly toGuest: MessageTable;
}
