/**
 * How a connection to NATS is described and how its failures are named: shared by the replica and the
 * command line. Credentials are kept apart from addresses, so that addresses can be logged.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { credsAuthenticator, errors, type NodeConnectionOptions } from "nats";
import { HostError } from "../errors/host-error.ts";
import { scrubSecrets } from "../telemetry/redaction.ts";

/** Who connects. */
export type NatsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  /** Path of a `.creds` file (a user's JWT and seed). Read again at each reconnect, so it may be renewed. */
  | { readonly kind: "file"; readonly path: string };

/** Which servers, and who connects. */
export interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`, without credentials; at least one. */
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials;
}

/**
 * The NATS client's options for these servers and credentials. Add the name and the reconnect behaviour.
 * Throws `usage-invalid` where a credentials file cannot be read.
 */
export async function natsConnectionOptions(options: NatsOptions): Promise<NodeConnectionOptions> {
  return {
    servers: [...options.servers],
    ...(options.servers.some((server) => server.startsWith("tls://")) && { tls: {} }),
    ...(await authentication(options.credentials)),
  };
}

async function authentication(credentials: NatsCredentials): Promise<NodeConnectionOptions> {
  const { kind } = credentials;
  if (kind === "file") return { authenticator: await fileAuthenticator(credentials.path) };
  if (kind === "password") return { user: credentials.user, pass: credentials.password };
  return kind === "token" ? { token: credentials.token } : {};
}

/**
 * An exception at a reconnect would end the connection for good. So where the file is away, or half written, when it is
 * read again, the credentials that it held last are tried.
 */
async function fileAuthenticator(path: string): Promise<ReturnType<typeof credsAuthenticator>> {
  let last: Uint8Array;
  try {
    last = await readFile(path);
  } catch (error) {
    throw new HostError("usage-invalid", `the NATS credentials file ${path} cannot be read`, { cause: error });
  }
  return (nonce) => {
    try {
      const read = readFileSync(path);
      const auth = credsAuthenticator(read)(nonce);
      last = read;
      return auth;
    } catch {
      return credsAuthenticator(last)(nonce);
    }
  };
}

/** Names what the NATS client threw. `doing` completes the sentence "while …". */
export function natsError(thrown: unknown, doing: string): HostError {
  if (thrown instanceof HostError) return thrown;
  const { AuthorizationError, PermissionViolationError, RequestError, TimeoutError, UserAuthenticationExpiredError } =
    errors;
  const cause = thrown instanceof RequestError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (thrown instanceof RequestError && thrown.isNoResponders()) {
    return new HostError("no-responders", `nobody answered while ${doing}`, { cause: thrown });
  }
  if (cause instanceof AuthorizationError || cause instanceof UserAuthenticationExpiredError) {
    return new HostError("nats-unavailable", `the NATS server refused the credentials while ${doing}`, {
      cause: thrown,
    });
  }
  if (cause instanceof PermissionViolationError) {
    const message = `the NATS account has no permission for ${cause.operation} on ${cause.subject}`;
    return new HostError("nats-unavailable", message, { cause: thrown });
  }
  const what =
    cause instanceof TimeoutError ? "the NATS server did not answer in time" : "the connection to NATS failed";
  const why = cause instanceof Error && !(cause instanceof TimeoutError) ? `: ${scrubSecrets(cause.message)}` : "";
  return new HostError("nats-unavailable", `${what} while ${doing}${why}`, { cause: thrown });
}
