/**
 * What a replica is started with, once every flag and variable has been checked. Whoever starts one (the
 * command line, a test) fills this in; the composition root reads it and nothing else of its surroundings.
 *
 * @module
 */

import type { EngineChoice } from "./contract/artifact.ts";
import type { NatsOptions } from "./nats/connection.ts";
import type { LogThreshold } from "./telemetry/log-threshold.ts";

/** Where values are kept. */
export type StoreOptions =
  /** `url` may hold credentials: never log it as it is. `source`: the flag or the variable that it came from. */
  | { readonly kind: "mongodb"; readonly url: string; readonly source: string }
  /** Absolute path of the database file, in a folder that exists. */
  | { readonly kind: "sqlite"; readonly path: string };

/** Address that the health server listens on. */
export interface HealthAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** How the log is written. */
export interface LogOptions {
  readonly level: LogThreshold;
  readonly format: "pretty" | "json";
  /** Colours, for `pretty`. */
  readonly colour: boolean;
}

/** A user and a group of this machine, by number. */
export interface RunnerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where the control socket is. */
export interface ControlFolder {
  readonly folder: string;
  /** A replica whose default cannot be used goes on without; one that was told where does not start. */
  readonly chosen: "by-default" | "by-operator";
}

/** Options of one replica. Paths are absolute. */
export interface ServeOptions {
  readonly nats: NatsOptions;
  /** Milliseconds between pings of the NATS server. */
  readonly natsPingMs: number;
  readonly store: StoreOptions;
  /** The consumer group's file. */
  readonly consumerFile: string;
  /** The folder of policy files. */
  readonly policyDir: string;
  /** Names the replica in logs and in service discovery: 1 to 64 of `[A-Za-z0-9_-]`. */
  readonly replicaId: string;
  /** The artifact cache; made where it is missing. */
  readonly cacheDir: string;
  /** Bytes that artifacts may take there. */
  readonly cacheBytes: number;
  readonly engine: EngineChoice;
  /** No health server where it is absent. */
  readonly health?: HealthAddress;
  /** No control socket where it is absent. */
  readonly control?: ControlFolder;
  readonly log: LogOptions;
  /** Are runners sandboxed with what the operating system offers and permits? */
  readonly sandbox: "auto" | "none";
  /** Whose rights runners get where the host is root. */
  readonly runnerUser: RunnerUser;
}
