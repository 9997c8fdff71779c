/**
 * A real registry of a test's own: Debian's docker-registry, as a process. It has no referrers API.
 *
 * @module
 */

import { request } from "node:http";
import { request as requestTls } from "node:https";
import { until } from "../../scripts/lib/until.ts";
import type { Certificate } from "./certificate.ts";
import { READY_TIMEOUT_MS, readied } from "./readiness.ts";
import { launchProcess } from "./server-process.ts";

export interface RegistryOptions {
  /** Speaks TLS with this certificate. */
  readonly certificate?: Certificate;
  /** Asks for a password. */
  readonly login?: "basic";
  /** Asks for a token of this server, signed with the key of a certificate. */
  readonly tokens?: { readonly realm: string; readonly certificate: Certificate };
}

/** Dispose of it with `await using`. */
export interface OwnRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Freezes it: connections stay open and nothing is answered. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port with the same data. */
  restart(): Promise<void>;
}

/** The one account of a registry that asks for a password. */
export const LOGIN = { user: "reader", password: "plugin-secret" } as const;

/** `htpasswd -nbB reader plugin-secret`: docker-registry takes bcrypt alone, which Node does not have. */
const HTPASSWD = "reader:$2a$05$h79W.92N37nd.nJ.Eq21b.tHichSS858kwLtt6TxvnAwzq/Grf5.a\n";

export const TOKEN_SERVICE = "registry.test";
export const TOKEN_ISSUER = "tokens.test";

/** Starts a registry and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<OwnRegistry> {
  const { certificate, tokens } = options;
  const launched = await launchProcess({
    binary: "docker-registry",
    args: () => ["serve", "config.yml"],
    environment: ({ port, folder }) => ({
      REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: `${folder}/data`,
    }),
    files: {
      "config.yml": configurationOf(options),
      htpasswd: HTPASSWD,
      ...(certificate !== undefined && { "tls.crt": certificate.cert, "tls.key": certificate.key }),
      ...(tokens !== undefined && { "tokens.crt": tokens.certificate.cert }),
    },
  });
  const host = `${launched.host}:${launched.port}`;
  const answers = (): Promise<boolean> => isAnswering(launched.port, certificate);
  await readied(launched, answers, `the registry ${host} answers`);
  return {
    host,
    pause: () => launched.pause(),
    resume: () => launched.resume(),
    kill: () => launched.kill(),
    async restart() {
      await launched.start();
      await until(answers, { what: `the registry ${host} answers again`, timeoutMs: READY_TIMEOUT_MS });
    },
    [Symbol.asyncDispose]: () => launched.remove(),
  };
}

function configurationOf({ certificate, login, tokens }: RegistryOptions): string {
  const http = certificate === undefined ? {} : { tls: { certificate: "tls.crt", key: "tls.key" } };
  const basic = { auth: { htpasswd: { realm: "registry", path: "htpasswd" } } };
  const token = {
    auth: {
      token: { realm: tokens?.realm, service: TOKEN_SERVICE, issuer: TOKEN_ISSUER, rootcertbundle: "tokens.crt" },
    },
  };
  // JSON is YAML.
  return JSON.stringify({
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: "data" }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0", ...http },
    ...(login === "basic" && basic),
    ...(tokens !== undefined && token),
  });
}

/** It answers its base, or asks who that is. */
async function isAnswering(port: number, certificate: Certificate | undefined): Promise<boolean> {
  const options = { host: "127.0.0.1", port, path: "/v2/" };
  const asked = certificate === undefined ? request(options) : requestTls({ ...options, ca: certificate.cert });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  asked.on("response", (response) => {
    response.resume();
    resolve(response.statusCode === 200 || response.statusCode === 401);
  });
  asked.on("error", () => resolve(false)).end();
  return await promise;
}
