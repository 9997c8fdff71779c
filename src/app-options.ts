/**
 * The options that a replica starts with, once every flag and variable has been checked. The command line or a test fills
 * them in. The composition root reads nothing else of its environment.
 *
 * @module
 */

import type { NamedPlugin } from "./config/named-plugins.ts";
import type { EngineChoice } from "./contract/artifact.ts";
import type { NatsOptions } from "./nats/connection.ts";
import type { RegistryAccess } from "./oci/registry-access.ts";
import type { LogThreshold } from "./telemetry/log-threshold.ts";

/** The store to use. */
export type StoreOptions =
  /** `url` may hold credentials: never log it as it is. `source`: the flag or the variable that it came from. */
  | { readonly kind: "mongodb"; readonly url: string; readonly source: string }
  /** Absolute path of the database file, in a folder that exists. */
  | { readonly kind: "sqlite"; readonly path: string };

/** The address that the health server listens on. */
export interface HealthAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Where a replica learns which plugins it serves. */
export type ConsumerSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "plugins"; readonly plugins: readonly NamedPlugin[] };

/** Where a replica learns what plugins may do. */
export interface PolicySource {
  /** The folder of policy files. */
  readonly folder: string;
  /** `optional`: where it does not exist, it is as an empty one, which allows nothing. */
  readonly presence: "required" | "optional";
}

/** How the log is written. */
export interface LogOptions {
  readonly level: LogThreshold;
  readonly format: "pretty" | "json";
  /** Does the format `pretty` use colours? */
  readonly colour: boolean;
  /** Gets each line in place of standard output. */
  readonly write?: (line: string) => void;
}

/** A user and a group of this machine, by number. */
export interface RunnerUser {
  readonly uid: number;
  readonly gid: number;
}

/** The folder of the control socket. */
export interface ControlFolder {
  readonly folder: string;
  /** A replica whose default folder cannot be used starts without a socket. One whose operator chose it does not start. */
  readonly chosen: "by-default" | "by-operator";
}

/** How components are fetched from registries. */
export interface RegistryOptions {
  readonly access: RegistryAccess;
  /** Milliseconds between looks at a tag. */
  readonly checkMs: number;
}

/** Options of one replica. Paths are absolute. */
export interface ServeOptions {
  readonly nats: NatsOptions;
  /** Milliseconds between pings of the NATS server. */
  readonly natsPingMs: number;
  readonly store: StoreOptions;
  /** The consumer group's file, or the plugins themselves. */
  readonly consumer: ConsumerSource;
  readonly policy: PolicySource;
  /** Names the replica in logs and in service discovery: 1 to 64 of `[A-Za-z0-9_-]`. */
  readonly replicaId: string;
  /** The folder of the artifact cache; made where it is missing. */
  readonly cacheDir: string;
  /** The most bytes that artifacts may take there. */
  readonly cacheBytes: number;
  readonly registries: RegistryOptions;
  readonly engine: EngineChoice;
  /** Where it is absent, there is no health server. */
  readonly health?: HealthAddress;
  /** Where it is absent, there is no control socket. */
  readonly control?: ControlFolder;
  readonly log: LogOptions;
  /** `auto`: runners are sandboxed with every wall that the operating system offers and permits. */
  readonly sandbox: "auto" | "none";
  /** The user that runners run as where the host is root. */
  readonly runnerUser: RunnerUser;
}
