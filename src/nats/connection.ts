/**
 * How a connection to NATS is described, and how its failures are named. The replica and the command line share this.
 * Credentials are separate from addresses, so that addresses can be logged.
 *
 * @module
 */

import {
  type Authenticator,
  errors,
  jwtAuthenticator,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "nats";
import { HostError } from "../errors/host-error.ts";
import { scrubSecrets } from "../telemetry/redaction.ts";
import { parseSecret, parseSeed, parseUserCredentials } from "./credentials-text.ts";
import { KeptFile } from "./kept-file.ts";
import { clientTls, type NatsTls } from "./tls.ts";

/** A secret itself, or the absolute path of the file that holds it. */
export type NatsSecret = string | { readonly path: string };

/** The credentials. Files are read again at each connect, so they may be renewed. */
export type NatsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly password: NatsSecret }
  | { readonly kind: "token"; readonly token: NatsSecret }
  /** The seed of a user's NKEY. */
  | { readonly kind: "nkey"; readonly seed: NatsSecret }
  /** Path of a `.creds` file (a user's JWT and seed). */
  | { readonly kind: "file"; readonly path: string };

export interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`, without credentials; at least one. */
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials;
  /** Where this is set, or an address begins with `tls://`, the connection uses TLS and refuses a server without it. */
  readonly tls?: NatsTls;
}

/**
 * The NATS client's options for these servers and credentials. Add the name and the reconnect behaviour. Throws
 * `usage-invalid` for credentials and files that cannot be used. Calls `warn` for files that cannot be used at a later
 * connect, and uses their last valid content then.
 */
export function natsConnectionOptions(
  options: NatsOptions,
  warn: (error: HostError) => void = () => undefined,
): NodeConnectionOptions {
  const { servers, credentials } = options;
  const isTls = options.tls !== undefined || servers.some((server) => server.startsWith("tls://"));
  return {
    servers: [...servers],
    ...(isTls && { tls: clientTls(options.tls ?? { handshake: "after-info" }, warn) }),
    ...(credentials.kind !== "none" && { authenticator: authenticatorOf(credentials, warn) }),
  };
}

/** An authenticator's exception would end the connection permanently, so these never throw. */
function authenticatorOf(
  credentials: Exclude<NatsCredentials, { kind: "none" }>,
  warn: (error: HostError) => void,
): Authenticator {
  switch (credentials.kind) {
    case "password":
      return usernamePasswordAuthenticator(
        credentials.user,
        secretReader(credentials.password, "the file of the NATS password", parseSecret, warn),
      );
    case "token":
      return tokenAuthenticator(secretReader(credentials.token, "the file of the NATS token", parseSecret, warn));
    case "nkey": {
      const seed = secretReader(credentials.seed, "the file of the NATS NKEY seed", parseSeed, warn);
      return nkeyAuthenticator(() => new TextEncoder().encode(seed()));
    }
    case "file": {
      const file = new KeptFile({
        what: "the NATS credentials file",
        paths: [credentials.path],
        parse: ([text = ""]) => parseUserCredentials(text),
        warn,
      });
      return (nonce) => {
        const { jwt, seed } = file.current();
        return jwtAuthenticator(jwt, new TextEncoder().encode(seed))(nonce);
      };
    }
  }
}

/** Returns the secret as it is at each call. */
function secretReader(
  secret: NatsSecret,
  what: string,
  parse: (text: string) => string,
  warn: (error: HostError) => void,
): () => string {
  if (typeof secret === "string") return () => secret;
  const file = new KeptFile({ what, paths: [secret.path], parse: ([text = ""]) => parse(text), warn });
  return () => file.current();
}

/** Names what the NATS client threw. `doing` completes the sentence "while …". */
export function natsError(thrown: unknown, doing: string): HostError {
  if (thrown instanceof HostError) return thrown;
  const { AuthorizationError, PermissionViolationError, RequestError, TimeoutError, UserAuthenticationExpiredError } =
    errors;
  const cause = thrown instanceof RequestError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (thrown instanceof RequestError && thrown.isNoResponders()) {
    return new HostError("no-responders", `no answer while ${doing}`, { cause: thrown });
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
