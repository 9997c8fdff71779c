/**
 * What a replica reports about itself over its control socket. Times are ISO 8601 in UTC. No text names a secret.
 *
 * @module
 */

import type { ErrorCode } from "../errors/table.ts";
import type { Readiness } from "../telemetry/health-server.ts";

/** Which replica this is. */
export interface ReplicaIdentity {
  /** Its name in logs and discovery. */
  readonly id: string;
  readonly group: string;
  readonly pid: number;
  /** The version of network-host. */
  readonly version: string;
  readonly started: string;
}

/** A problem of a configuration file; lines and columns count from 1. */
export interface FileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A changed setting of the consumer file that applies only after a restart. */
export interface PendingSetting {
  readonly key: string;
  readonly inForce: string | number;
  readonly written: string | number;
}

/** The state of a replica's configuration files. */
export interface FilesReport {
  /** `null` where the replica was given its plugins without a file. */
  readonly consumerFile: string | null;
  readonly policyDir: string;
  /** When all files were last read without a problem; `null` before that. */
  readonly lastGood: string | null;
  /** Why files cannot be used as they are now; what was last read from each of these stays in force. */
  readonly problems: readonly FileProblem[];
  /** Why the files could not be read, where the fault is not in one of them. */
  readonly failure: ReportedError | null;
  readonly pendingSettings: readonly PendingSetting[];
  readonly warnings: readonly string[];
}

/** An error with its code; the message is for people. */
export interface ReportedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The states of a plugin. The replica tries again to load a `failed` one, but not an `unloadable` one. */
export type PluginStateName = "loading" | "granted" | "denied" | "failed" | "unloadable";

/** What a replica reports of one plugin. */
export interface PluginReport {
  readonly name: string;
  readonly state: PluginStateName;
  /** Since when the plugin is in this state, or this version serves. */
  readonly since: string;
  readonly component: string;
  readonly version: string;
  /** The digest of the component that serves; `null` where none is loaded. */
  readonly digest: string | null;
  /** The policy revision in force; `null` where no version is loaded. */
  readonly policy: string | null;
  readonly engine: string | null;
  /** Why the plugin cannot be served. */
  readonly error: ReportedError | null;
  /** Why a newer version is refused, where an older one serves. */
  readonly refused: ReportedError | null;
  readonly requests: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly runners: number;
  readonly restarts: number;
}

/** The state of a running replica. */
/** Where a plugin is served over wRPC. */
export interface WrpcReport {
  readonly plugin: string;
  readonly transport: "tcp" | "nats";
  /** `host:port` over TCP; over NATS the prefix that its clients have. */
  readonly address: string;
}

export interface StatusReport {
  readonly replica: ReplicaIdentity;
  /** `starting`: the replica has never been ready. */
  readonly state: "starting" | "ready" | "not-ready" | "draining";
  /** Since when the replica is in this state. */
  readonly since: string;
  /** The same as in `/readyz`. */
  readonly checks: Readiness;
  readonly inFlight: number;
  readonly nats: { readonly server: string; readonly state: string; readonly since: string } | null;
  readonly store: { readonly kind: string; readonly state: "up" | "down"; readonly since: string } | null;
  readonly wrpc: readonly WrpcReport[];
  readonly files: FilesReport;
  readonly plugins: readonly PluginReport[];
}

/** A plugin that does not run as its files say. */
export interface RefusedPlugin {
  readonly name: string;
  readonly component: string;
  readonly error: ReportedError;
  /** What serves its requests meanwhile. */
  readonly serves: "older-version" | "nothing";
}

/** The result of reading the files again. */
export interface ReloadReport {
  readonly replica: ReplicaIdentity;
  /** Is everything in force as the files say? */
  readonly inForce: boolean;
  readonly read: { readonly policies: number; readonly components: number };
  /** Names of plugins. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Names of plugins whose policy does not allow what they request. They count as in force. */
  readonly denied: readonly string[];
  readonly refused: readonly RefusedPlugin[];
  readonly files: FilesReport;
  readonly durationMs: number;
}
