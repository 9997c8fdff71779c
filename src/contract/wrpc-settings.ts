/**
 * What a consumer file says about wRPC, as the parts pass it on.
 *
 * @module
 */

import type { PluginName } from "./names.ts";

/** Where calls of a plugin come to. */
export interface ListenAddress {
  /** An IP address. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  /** The replica's certificate, with its intermediate certificates. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The authorities that callers' certificates are from. */
  readonly clientCaFile: string;
}

/** The plugins that are served over TCP. */
export interface WrpcTcpSettings {
  /** Each has an address of its own; no other plugin is served. */
  readonly plugins: ReadonlyMap<PluginName, ListenAddress>;
  /** Where it is absent, all addresses are of the loopback interface. */
  readonly tls: CertificateFiles | undefined;
}

/** The plugins that are served over NATS. */
export interface WrpcNatsSettings {
  /** The first tokens of every invocation's subject; the plugin's name follows. */
  readonly prefix: string;
  readonly plugins: ReadonlySet<PluginName>;
}

/** How plugins are served over wRPC; an absent transport is off. */
export interface WrpcSettings {
  readonly tcp: WrpcTcpSettings | undefined;
  readonly nats: WrpcNatsSettings | undefined;
}

/** An address as `host:port`. */
export function addressText({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
