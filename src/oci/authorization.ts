/**
 * Says to registries who asks: without credentials first, then as the registry's challenge wants it, by Basic or by a token of its
 * token server. Tokens are kept until shortly before they expire; what a registry refuses is fetched anew once.
 *
 * Credentials go to the registry and to the token server that it names, over TLS (or to hosts of plain HTTP that the operator
 * names), and nowhere else. A challenge of another host is not answered.
 *
 * @module
 */

import { z } from "zod";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { FindCredentials, RegistryCredentials } from "./credentials.ts";
import type { RegistryBounds } from "./dispatchers.ts";
import { describeTransportFailure } from "./failures.ts";
import { describeStatus } from "./status-failures.ts";
import { discard, readWhole, type Transport, type TransportAnswer, type TransportRequest } from "./transport.ts";

/** What the token is for. */
export interface Scope {
  readonly repository: string;
  readonly actions: "pull" | "pull,push";
}

/** Tokens without a time of their own are good for this long, as the token specification has it. */
const DEFAULT_EXPIRY_S = 60;
const MAX_EXPIRY_S = 3_600;
/** A token that expires this soon is not used any more: the request takes time, and clocks differ. */
const EXPIRY_MARGIN_MS = 10_000;
const CLIENT_ID = "network-host";

const tokenSchema = z.object({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().optional(),
});

interface KeptAuthorization {
  readonly header: string;
  /** On the clock of `performance.now()`. */
  readonly expiresMs: number;
}

/** Who is asked, and what bounds that. */
type Asker = Pick<TransportRequest, "registry" | "signal">;

type BearerChallenge = Extract<Challenge, { kind: "bearer" }>;

/** How many tokens and credentials to keep, and how long the fetching of one may take. */
type AuthorizationBounds = Pick<RegistryBounds, "registryTokens" | "registryDocumentMs">;

export class Authorization {
  readonly #transport: Transport;
  readonly #find: FindCredentials;
  readonly #bounds: AuthorizationBounds;
  /** By registry and scope, the oldest first. */
  readonly #kept = new Map<string, KeptAuthorization>();
  /** In progress: a hundred plugins of one registry ask for one token at a time. */
  readonly #fetching = new Map<string, Promise<string | undefined>>();

  constructor(transport: Transport, find: FindCredentials, bounds: AuthorizationBounds) {
    this.#bounds = bounds;
    this.#transport = transport;
    this.#find = find;
  }

  /** Sends a request to a registry and, if it asks who that is, once more with the answer. */
  async send(request: TransportRequest, scope: Scope): Promise<TransportAnswer> {
    const key = `${request.registry} ${scope.repository} ${scope.actions}`;
    const { origin } = this.#transport.url(request.registry, "/");
    // An upload may be led to another host, which has to know by its URL who asks.
    if (request.url.origin !== origin) return await this.#transport.send(request);
    const kept = this.#current(key);
    const first = await this.#transport.send({ ...request, authorization: kept });
    if (first.status !== 401 || first.url.origin !== origin) return first;
    const challenge = parseChallenge(first.header("www-authenticate") ?? "");
    if (challenge === undefined) return first;
    if (this.#kept.get(key)?.header === kept) this.#kept.delete(key);
    const authorization = this.#current(key) ?? (await this.#renew(key, request, scope, challenge));
    if (authorization === undefined) return first;
    discard(first);
    return await this.#transport.send({ ...request, authorization });
  }

  #current(key: string): string | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.expiresMs > performance.now() ? kept.header : undefined;
  }

  async #renew(
    key: string,
    request: TransportRequest,
    scope: Scope,
    challenge: Challenge,
  ): Promise<string | undefined> {
    let fetching = this.#fetching.get(key);
    if (fetching === undefined) {
      // Many may wait for it: it ends for none of them alone.
      const signal = AbortSignal.timeout(this.#bounds.registryDocumentMs);
      fetching = this.#fetch(key, { registry: request.registry, signal }, scope, challenge).finally(() =>
        this.#fetching.delete(key),
      );
      this.#fetching.set(key, fetching);
    }
    return await unlessAborted(fetching, request);
  }

  async #fetch(key: string, request: Asker, scope: Scope, challenge: Challenge): Promise<string | undefined> {
    const credentials = await this.#find(request.registry);
    if (credentials?.kind === "registry-token") return this.#keep(key, `Bearer ${credentials.token}`, DEFAULT_EXPIRY_S);
    if (challenge.kind === "basic") {
      if (credentials?.kind !== "password") return undefined;
      return this.#keep(key, basic(credentials), MAX_EXPIRY_S);
    }
    const answer = await this.#askTokenServer(request, scope, challenge, credentials);
    const token = answer.token ?? answer.access_token;
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
      throw new HostError("registry-content-wrong", `the token server of ${request.registry} gave no token`);
    return this.#keep(key, `Bearer ${token}`, answer.expires_in ?? DEFAULT_EXPIRY_S);
  }

  #keep(key: string, header: string, expiresS: number): string {
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= this.#bounds.registryTokens) this.#kept.delete(oldest);
    const validMs = Math.min(Math.max(expiresS, DEFAULT_EXPIRY_S), MAX_EXPIRY_S) * 1_000 - EXPIRY_MARGIN_MS;
    this.#kept.delete(key);
    this.#kept.set(key, { header, expiresMs: performance.now() + validMs });
    return header;
  }

  async #askTokenServer(
    { registry, signal }: Asker,
    scope: Scope,
    challenge: BearerChallenge,
    credentials: RegistryCredentials | undefined,
  ): Promise<z.output<typeof tokenSchema>> {
    const realm = this.#transport.follow(this.#transport.url(registry, "/"), challenge.realm);
    const wanted = `repository:${scope.repository}:${scope.actions}`;
    const fields = new URLSearchParams({ ...(challenge.service !== undefined && { service: challenge.service }) });
    fields.set("scope", wanted);
    const common = { registry, signal } as const;
    let answer: TransportAnswer;
    if (credentials?.kind === "identity-token") {
      fields.set("grant_type", "refresh_token");
      fields.set("client_id", CLIENT_ID);
      fields.set("refresh_token", credentials.token);
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      answer = await this.#transport.send({
        ...common,
        method: "POST",
        url: realm,
        headers,
        body: () => fields.toString(),
      });
    } else {
      for (const [name, value] of fields) realm.searchParams.append(name, value);
      const authorization = credentials?.kind === "password" ? basic(credentials) : undefined;
      answer = await this.#transport.send({ ...common, method: "GET", url: realm, authorization });
    }
    if (answer.status !== 200) throw await describeStatus(answer, `the token for ${wanted} at ${registry}`, signal);
    const bytes = await readWhole(answer, FIXED_LIMITS.registryTokenBytes, signal);
    const { success, data } = tokenSchema.safeParse(parseJson(bytes));
    if (!success) throw new HostError("registry-content-wrong", `the token server of ${registry} gave no token`);
    return data;
  }
}

/** Without the cause where it is not JSON: that would quote what may be a token, and causes are logged. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Waits for what others wait for, too. Rejects with `registry-unreachable`, or the signal's reason, where the signal aborts. */
async function unlessAborted<Result>(shared: Promise<Result>, { registry, signal }: Asker): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(describeTransportFailure(signal.reason, registry, signal));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([shared, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
