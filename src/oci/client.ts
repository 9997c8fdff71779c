/**
 * A client of OCI registries, as much of the distribution specification as components need: manifests, blobs, tags, referrers,
 * both ways. Whatever is fetched by digest is compared with it before anyone sees it whole; everything is bounded in time
 * and bytes.
 *
 * Errors are coded: `registry-unreachable`, `registry-throttled`, `registry-denied`, `registry-not-found`, `registry-refused`,
 * `registry-redirect-refused`, `registry-content-wrong`.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 * @module
 */

import type { Readable } from "node:stream";
import { digestOf } from "../contract/digest.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { Authorization, type Scope } from "./authorization.ts";
import { readBlob } from "./blob.ts";
import type { FindCredentials } from "./credentials.ts";
import type { RegistryBounds } from "./dispatchers.ts";
import { describeStatus } from "./status-failures.ts";
import { type Descriptor, MEDIA_TYPES, parseIndex, parseTagPage } from "./manifest.ts";
import { ociDigest, type OciReference, type OciRepository, parseOciDigest } from "./reference.ts";
import {
  discard,
  readWhole,
  Transport,
  type TransportAnswer,
  type TransportOptions,
  type TransportRequest,
} from "./transport.ts";

export interface OciClientOptions extends TransportOptions {
  readonly credentials: FindCredentials;
}

/** A manifest, verified where it was asked for by digest. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  /** SHA-256 of `bytes`. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** For {@link OciClient.hasChanged}. */
  readonly etag: string | undefined;
}

/** What a manifest was when it was last looked at. */
export type KnownManifest = Pick<FetchedManifest, "digest" | "etag">;

/** What to push as a blob. */
export interface BlobContent {
  readonly digest: Digest;
  readonly size: number;
  /** Made anew each time it is sent. */
  readonly open: () => Readable | Uint8Array;
}

/** What the registry says to a pushed manifest. */
export interface PushedManifest {
  readonly digest: Digest;
  /** Did it take note of the manifest's `subject`? If not, it has no referrers API. */
  readonly knowsReferrers: boolean;
}

const MANIFEST_TYPES = [
  MEDIA_TYPES.manifest,
  MEDIA_TYPES.index,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerIndex,
].join(", ");

const TAGS_PER_PAGE = 1_000;

/** A request of the client: what it is about, and what may be added by the caller. */
interface Exchange {
  readonly at: OciRepository;
  readonly method: TransportRequest["method"];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Readable | Uint8Array | string;
  readonly actions?: Scope["actions"];
  readonly signal: AbortSignal;
}

export class OciClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #authorization: Authorization;
  readonly #bounds: RegistryBounds;

  constructor({ credentials, ...options }: OciClientOptions) {
    this.#transport = new Transport(options);
    this.#bounds = { ...FIXED_LIMITS, ...options.bounds };
    this.#authorization = new Authorization(this.#transport, credentials, this.#bounds);
  }

  /** The manifest that a reference names. One that is named by digest has that digest, or it is `registry-content-wrong`. */
  async fetchManifest(reference: OciReference, signal?: AbortSignal): Promise<FetchedManifest> {
    const bounded = within(this.#bounds.registryDocumentMs, signal);
    const answer = await this.#exchange({
      at: reference,
      method: "GET",
      url: this.#manifestUrl(reference),
      headers: { accept: MANIFEST_TYPES },
      signal: bounded,
    });
    if (answer.status !== 200) throw await describeStatus(answer, nameOf(reference), bounded);
    const bytes = await readWhole(answer, FIXED_LIMITS.registryDocumentBytes, bounded);
    const digest = digestOf(bytes);
    if (reference.digest !== undefined && digest !== reference.digest)
      throw new HostError("registry-content-wrong", `${nameOf(reference)} is not what its digest says`);
    return { bytes, digest, mediaType: mediaTypeOf(answer), etag: answer.header("etag") };
  }

  /** Does a tag stand for another manifest now? A conditional request without a body. */
  async hasChanged(reference: OciReference, known: KnownManifest, signal?: AbortSignal): Promise<boolean> {
    const bounded = within(this.#bounds.registryDocumentMs, signal);
    const answer = await this.#exchange({
      at: reference,
      method: "HEAD",
      url: this.#manifestUrl(reference),
      headers: { accept: MANIFEST_TYPES, "if-none-match": known.etag ?? `"${ociDigest(known.digest)}"` },
      signal: bounded,
    });
    if (answer.status === 304) {
      discard(answer);
      return false;
    }
    if (answer.status !== 200) throw await describeStatus(answer, nameOf(reference), bounded);
    discard(answer);
    return parseOciDigest(answer.header("docker-content-digest") ?? "") !== known.digest;
  }

  /**
   * The bytes of a blob as they arrive. When the last has been read, they are what the descriptor says; else reading them throws
   * `registry-content-wrong`. At most the descriptor's size is passed on. To read nothing of it, abort the signal.
   */
  async *fetchBlob(
    at: OciRepository,
    { digest, size }: Pick<Descriptor, "digest" | "size">,
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer, void> {
    const bounded = within(this.#bounds.registryBlobMs, signal);
    const url = this.#url(at, `blobs/${ociDigest(digest)}`);
    const answer = await this.#exchange({ at, method: "GET", url, signal: bounded });
    if (answer.status !== 200)
      throw await describeStatus(answer, `${at.host}/${at.repository}@${ociDigest(digest)}`, bounded);
    yield* readBlob(answer, { digest, size }, bounded);
  }

  /** A small blob, whole. Throws `registry-content-wrong` where it is said to be longer than `maxBytes`. */
  async fetchSmallBlob(
    at: OciRepository,
    descriptor: Pick<Descriptor, "digest" | "size">,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    if (descriptor.size > maxBytes)
      throw new HostError("registry-content-wrong", `a blob of ${descriptor.size} bytes is larger than ${maxBytes}`);
    return Buffer.concat(await Array.fromAsync(this.fetchBlob(at, descriptor, signal)));
  }

  /** Uploads a blob unless the registry has it. */
  async pushBlob(at: OciRepository, content: BlobContent, signal?: AbortSignal): Promise<"uploaded" | "present"> {
    const bounded = within(this.#bounds.registryBlobMs, signal);
    const digest = ociDigest(content.digest);
    const common = { at, actions: "pull,push", signal: bounded } as const;
    const head = await this.#exchange({ ...common, method: "HEAD", url: this.#url(at, `blobs/${digest}`) });
    discard(head);
    if (head.status === 200) return "present";
    const begun = await this.#exchange({
      ...common,
      method: "POST",
      url: this.#url(at, "blobs/uploads/"),
      headers: { "content-length": "0" },
    });
    if (begun.status !== 202) throw await describeStatus(begun, `an upload to ${at.host}/${at.repository}`, bounded);
    discard(begun);
    const place = this.#transport.follow(begun.url, begun.header("location"));
    place.searchParams.set("digest", digest);
    const done = await this.#exchange({
      ...common,
      method: "PUT",
      url: place,
      headers: { "content-type": "application/octet-stream", "content-length": String(content.size) },
      body: content.open,
    });
    if (done.status !== 201) throw await describeStatus(done, `the upload of ${digest}`, bounded);
    discard(done);
    return "uploaded";
  }

  /** Stores a manifest under a tag or, without one, under its digest. What it points to must be there already. */
  async pushManifest(
    at: OciRepository & { readonly tag?: string | undefined },
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<PushedManifest> {
    const bounded = within(this.#bounds.registryDocumentMs, signal);
    const digest = digestOf(bytes);
    const answer = await this.#exchange({
      at,
      method: "PUT",
      url: this.#url(at, `manifests/${at.tag ?? ociDigest(digest)}`),
      headers: { "content-type": mediaType },
      body: () => bytes,
      actions: "pull,push",
      signal: bounded,
    });
    if (answer.status !== 201)
      throw await describeStatus(answer, `the manifest of ${at.host}/${at.repository}`, bounded);
    discard(answer);
    const stored = parseOciDigest(answer.header("docker-content-digest") ?? ociDigest(digest));
    if (stored !== digest)
      throw new HostError("registry-content-wrong", `${at.host} stored another manifest than the one that was sent`);
    return { digest, knowsReferrers: answer.header("oci-subject") !== undefined };
  }

  /** All tags of a repository, in the registry's order. */
  async listTags(at: OciRepository, signal?: AbortSignal): Promise<readonly string[]> {
    const first = this.#url(at, `tags/list?n=${TAGS_PER_PAGE}`);
    return await this.#list(at, first, parseTagPage, within(this.#bounds.registryDocumentMs, signal));
  }

  /**
   * The manifests that refer to another one (signatures, among others), from the registry's API or, if it has none, from the tag
   * that stands in for it. They are not verified, and their `artifactType` is not to be relied on: fetch each by its digest.
   */
  async listReferrers(at: OciRepository, subject: Digest, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    const bounded = within(this.#bounds.registryDocumentMs, signal);
    const url = this.#url(at, `referrers/${ociDigest(subject)}`);
    const probe = await this.#exchange({
      at,
      method: "GET",
      url,
      headers: { accept: MEDIA_TYPES.index },
      signal: bounded,
    });
    const hasApi = probe.status === 200 && mediaTypeOf(probe) === MEDIA_TYPES.index;
    if (hasApi) return await this.#pages(probe, at, parseIndex, bounded);
    if (probe.status !== 200 && ![400, 404, 405, 406].includes(probe.status))
      throw await describeStatus(probe, `the referrers of ${ociDigest(subject)}`, bounded);
    discard(probe);
    const tag = `sha256-${subject}`;
    const found = await this.fetchManifestIfThere({ ...at, tag, digest: undefined }, bounded);
    return found?.mediaType === MEDIA_TYPES.index ? parseIndex(found.bytes) : [];
  }

  /** As {@link fetchManifest}, but `undefined` where there is none. */
  async fetchManifestIfThere(reference: OciReference, signal?: AbortSignal): Promise<FetchedManifest | undefined> {
    try {
      return await this.fetchManifest(reference, signal);
    } catch (error) {
      if (error instanceof HostError && error.code === "registry-not-found") return undefined;
      throw error;
    }
  }

  /** Ends all exchanges. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  async #list<Entry>(
    at: OciRepository,
    url: URL,
    parse: (bytes: Uint8Array) => readonly Entry[],
    signal: AbortSignal,
  ): Promise<readonly Entry[]> {
    return await this.#pages(await this.#exchange({ at, method: "GET", url, signal }), at, parse, signal);
  }

  /** Reads a list that a registry may send in pages, the first of which is there. */
  async #pages<Entry>(
    first: TransportAnswer,
    at: OciRepository,
    parse: (bytes: Uint8Array) => readonly Entry[],
    signal: AbortSignal,
  ): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    for (let answer = first; ;) {
      if (answer.status !== 200) throw await describeStatus(answer, `a list of ${at.host}/${at.repository}`, signal);
      entries.push(...parse(await readWhole(answer, FIXED_LIMITS.registryDocumentBytes, signal)));
      const next = nextPage(answer.header("link"));
      if (next === undefined) return entries;
      const url = this.#transport.follow(answer.url, next);
      if (entries.length > FIXED_LIMITS.registryListEntries || seen.has(url.href))
        throw new HostError("registry-content-wrong", `a list of ${at.host}/${at.repository} does not end`);
      seen.add(url.href);
      answer = await this.#exchange({ at, method: "GET", url, signal });
    }
  }

  async #exchange({ at, actions = "pull", ...request }: Exchange): Promise<TransportAnswer> {
    const scope = { repository: at.repository, actions };
    return await this.#authorization.send({ ...request, registry: at.host }, scope);
  }

  #manifestUrl(reference: OciReference): URL {
    const name = reference.digest === undefined ? reference.tag : ociDigest(reference.digest);
    return this.#url(reference, `manifests/${name ?? ""}`);
  }

  #url({ host, repository }: OciRepository, path: string): URL {
    return this.#transport.url(host, `/v2/${repository}/${path}`);
  }
}

function within(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

function mediaTypeOf(answer: TransportAnswer): string {
  return (answer.header("content-type") ?? "").split(";")[0]?.trim() ?? "";
}

/** RFC 8288: the target of `rel="next"`. */
function nextPage(link: string | undefined): string | undefined {
  return link === undefined ? undefined : /^\s*<([^>]*)>\s*;\s*rel="?next"?/i.exec(link)?.[1];
}

function nameOf({ host, repository, tag, digest }: OciReference): string {
  return `${host}/${repository}${digest === undefined ? `:${tag ?? ""}` : `@${ociDigest(digest)}`}`;
}
