/**
 * What a capability says of itself: all that other parts of the host need to know of it without its code. The compiler
 * learns which of its functions suspend a guest, the runner which interfaces it offers, the protocol its messages, the
 * counters its operations and the access level that each of them needs.
 *
 * A capability is one folder: this definition, its messages, and its two sides, which never import each other. A guest
 * side runs in a plugin's process and asks; a host side runs in the host, and decides and acts.
 *
 * @module
 */

import type { MessageTable } from "../channel/message-table.ts";
import type { AccessLevel } from "../contract/access-levels.ts";

/** How operations of a capability are counted and shown. */
export interface CapabilityCounter {
  /** The metric's name. */
  readonly name: string;
  readonly help: string;
  /** Is the operation a label of the metric? Not where there is one only. */
  readonly hasOperationLabel: boolean;
  /** The outcome of an operation that was not allowed: it does not count as a use of the access level. */
  readonly deniedOutcome: string;
}

export interface Capability {
  readonly name: string;
  /** The interfaces that it is, without versions. */
  readonly interfaces: readonly string[];
  /** The one of them whose import says that a plugin may use it. */
  readonly entry: string;
  /** The one version of them that plugins may import, where it is neither the contract's nor one of WASI 0.2. */
  readonly version?: string;
  /** Imports that return a promise where a component imports one of the interfaces: `interface#function`, without versions. */
  readonly suspending: readonly string[];
  /**
   * Interfaces and functions of them that answer each instance alike before its first call, at any time: see
   * `runner/linker/answers-alike.ts`.
   */
  readonly alike: readonly string[];
  /** Operations, and the access level that each needs; one that needs none is allowed wherever the plugin is. */
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
