/**
 * Connections to registries: TLS with the operator's authorities, proxies, and which addresses may be dialled.
 *
 * A registry that the operator names may be anywhere. A server that a registry names (by a redirect, as its token server, or
 * as where to upload) may not be at a private, loopback or metadata address, unless the registry is at one itself and never was
 * elsewhere. The address is checked when it has been looked up, at the moment of dialling. Through a proxy, names are looked up by the proxy, which is the
 * operator's, so only addresses that are written out are checked.
 *
 * @module
 */

import { lookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { getCACertificates } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { isSpecialAddress } from "../policy/special-addresses.ts";

/** The usual variables, by what they say. URLs may hold credentials of the proxy. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  /** Hosts that are reached directly, as `NO_PROXY` lists them. Loopback always is. */
  readonly none?: string;
}

export interface DispatcherOptions {
  /** Certificates to trust besides Node's own, in PEM. */
  readonly ca?: string;
  readonly proxies?: ProxySettings;
  /** In place of the limits; for tests. */
  readonly bounds?: Partial<RegistryBounds>;
  /** In place of the system's look-up of names; for tests. */
  readonly lookUp?: LookUp;
}

/** The limits that bound exchanges; docs/limits.md says what each is for. */
export type RegistryBounds = Pick<
  typeof FIXED_LIMITS,
  | "registryConnectMs"
  | "registryAnswerMs"
  | "registryDocumentMs"
  | "registryBlobMs"
  | "registryConnections"
  | "registryTokens"
>;

/** Looks a name up, as `dns.lookup` does for all addresses. */
export type LookUp = (
  name: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** `named`: by the operator. `led-to`: by a registry. */
export type Origin = "named" | "led-to";

/** As Go's tools have it, loopback is never reached by a proxy. */
const NEVER_PROXIED = "localhost,127.0.0.1,[::1]";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** How long a connection without a request is kept: shorter than servers do. */
const IDLE_MS = 4_000;

type Scheme = "http:" | "https:";

export class Dispatchers implements AsyncDisposable {
  readonly #options: DispatcherOptions;
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** Where hosts were found. One that was ever at a public address is public: its DNS server must not decide otherwise. */
  readonly #found = new Map<string, "special" | "public">();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * The dispatcher for a request. `registry` is where the one that is asked is. Throws `registry-redirect-refused` where
   * the URL names an address that may not be dialled.
   */
  for(url: URL, origin: Origin, registry: URL): Dispatcher {
    const host = hostOf(url);
    const isGuarded = origin === "led-to" && !this.#isSpecial(hostOf(registry));
    if (isGuarded && this.#isSpecial(host)) throw refusedAddress(host);
    const scheme = url.protocol === "http:" ? "http:" : "https:";
    const key = `${scheme}${String(isGuarded)}`;
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      dispatcher = this.#create(scheme, isGuarded);
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #isSpecial(host: string): boolean {
    return LOOPBACK.has(host) || isSpecialAddress(host) || this.#found.get(host) === "special";
  }

  #create(scheme: Scheme, isGuarded: boolean): Dispatcher {
    const { ca, proxies = {}, bounds } = this.#options;
    const { registryConnectMs, registryAnswerMs, registryConnections } = { ...FIXED_LIMITS, ...bounds };
    const tls = ca === undefined ? {} : { ca: [...getCACertificates("default"), ca] };
    const options = {
      connect: { ...tls, timeout: registryConnectMs, lookup: this.#lookup(isGuarded) },
      connections: registryConnections,
      headersTimeout: registryAnswerMs,
      bodyTimeout: registryAnswerMs,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      allowH2: false,
      pipelining: 1,
    } as const;
    // One for each scheme: by itself, undici would send https through the proxy of http.
    const proxy = (scheme === "http:" ? proxies.http : proxies.https) ?? "";
    if (proxy === "") return new Agent(options);
    return new EnvHttpProxyAgent({
      ...options,
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: [proxies.none ?? "", NEVER_PROXIED].join(","),
      requestTls: tls,
      proxyTls: { ...tls, timeout: registryConnectMs },
    });
  }

  /** The system's look-up, `/etc/hosts` included. A guarded one gives only addresses that may be dialled. */
  #lookup(isGuarded: boolean): LookupFunction {
    return (hostname, options, callback) => {
      const { lookUp = lookup } = this.#options;
      lookUp(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) {
          callback(error, "");
          return;
        }
        const open = found.filter(({ address }) => !isSpecialAddress(address));
        if (!isGuarded && open.length > 0) this.#found.set(hostname, "public");
        else if (!isGuarded && found.length > 0 && !this.#found.has(hostname)) this.#found.set(hostname, "special");
        const usable = isGuarded ? open : found;
        const [first] = usable;
        if (first === undefined) callback(refusedAddress(hostname), "");
        else if (options.all === true) callback(null, usable);
        else callback(null, first.address, first.family);
      });
    };
  }
}

/** A URL's host without brackets and without its port. */
function hostOf({ hostname }: URL): string {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return isIP(bare) === 0 ? bare.replace(/\.$/, "") : bare;
}

function refusedAddress(host: string): HostError {
  return new HostError(
    "registry-redirect-refused",
    `the registry leads to ${host}, which is a private or special address; only a registry that is at one itself may do so`,
  );
}
