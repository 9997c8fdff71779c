/**
 * Finds the signatures of a manifest in a registry, in all places where they may be: the manifests that refer to it (by the registry's
 * API), the tag that stands in for that API, and the tag of the form of before. Nothing that is found is trusted: it is handed on
 * to be checked, and what is malformed, points elsewhere or is missing is passed over with a word, so that it hides no good
 * signature. Bounded in number, bytes and time.
 *
 * Throws the codes of `OciClient` only where the registry cannot be asked.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import { isBundleType } from "../signatures/bundle.ts";
import { checkSignature } from "../signatures/check-signature.ts";
import type { Signature } from "../signatures/signature.ts";
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE } from "../signatures/simple-signing.ts";
import type { VerificationKey } from "../signatures/verification-key.ts";
import type { OciClient } from "./client.ts";
import { type Descriptor, type ImageManifest, MEDIA_TYPES, parseIndex, parseManifest } from "./manifest.ts";
import { ociDigest, type OciRepository } from "./reference.ts";

/** What is needed of a client. */
export type SignatureSource = Pick<
  OciClient,
  "fetchManifest" | "fetchManifestIfThere" | "fetchSmallBlob" | "listReferrers"
>;

/** Whose signatures to look for. */
export interface SignedManifest {
  readonly at: OciRepository;
  /** Of the manifest, whose bytes have been compared with it. */
  readonly manifest: Digest;
}

/** A signature that fits. */
export interface FittingSignature {
  readonly signature: Signature;
  /** The key's. */
  readonly by: Digest;
  /** Where it is, as `sha256:…` or `tag …`. */
  readonly place: string;
}

export interface SearchResult {
  /** One for each key at most. */
  readonly fitting: readonly FittingSignature[];
  /** What was passed over and why: sentences for a message, the first few. */
  readonly flaws: readonly string[];
}

type Found =
  | { readonly kind: "signature"; readonly signature: Signature; readonly place: string }
  | { readonly kind: "flaw"; readonly flaw: string };

/** What one thing in a registry is guilty of, and not the registry. */
const FLAWS: ReadonlySet<ErrorCode> = new Set(["registry-content-wrong", "registry-not-found", "artifact-unusable"]);

const MAX_FLAWS = 8;

/** Tag of the manifests that refer to another one, where a registry has no API for that. */
export function referrersTag(manifest: Digest): string {
  return `sha256-${manifest}`;
}

/** Looks until each of the keys has signed, or everything was looked at. */
export async function findSignatures(
  client: SignatureSource,
  signed: SignedManifest,
  keys: readonly VerificationKey[],
  signal?: AbortSignal,
): Promise<SearchResult> {
  const timeout = AbortSignal.timeout(FIXED_LIMITS.signatureSearchMs);
  const bound = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const fitting = new Map<Digest, FittingSignature>();
  const flaws: string[] = [];
  for await (const found of new Search(client, signed, bound).all()) {
    if (found.kind === "flaw") flaws.push(found.flaw);
    else {
      const verdict = checkSignature(found.signature, signed.manifest, keys);
      if (verdict.kind === "signed") fitting.set(verdict.by, { ...found, by: verdict.by });
      else flaws.push(`${found.place}: ${verdict.reason}`);
    }
    if (fitting.size === keys.length) break;
  }
  const further = flaws.length - MAX_FLAWS;
  const told = flaws.slice(0, MAX_FLAWS);
  return { fitting: [...fitting.values()], flaws: further > 0 ? [...told, `${further} more`] : told };
}

class Search {
  readonly #client: SignatureSource;
  readonly #at: OciRepository;
  readonly #manifest: Digest;
  readonly #signal: AbortSignal;
  readonly #seen = new Set<Digest>();
  #examined = 0;

  constructor(client: SignatureSource, { at, manifest }: SignedManifest, signal: AbortSignal) {
    this.#client = client;
    this.#at = at;
    this.#manifest = manifest;
    this.#signal = signal;
  }

  async *all(): AsyncGenerator<Found, void> {
    const places = [this.#fromReferrers(), this.#fromTag(), this.#fromOldTag()];
    for (const place of places) {
      try {
        yield* place;
      } catch (error) {
        yield { kind: "flaw", flaw: flawOf(error, "a list of signatures") };
      }
    }
    if (this.#isFull) yield { kind: "flaw", flaw: `more than ${FIXED_LIMITS.signaturesExamined} were not looked at` };
  }

  get #isFull(): boolean {
    return this.#examined >= FIXED_LIMITS.signaturesExamined;
  }

  async *#fromReferrers(): AsyncGenerator<Found, void> {
    yield* this.#fromEntries(await this.#client.listReferrers(this.#at, this.#manifest, this.#signal));
  }

  /** A registry that was given an API later may not know what was pushed before. */
  async *#fromTag(): AsyncGenerator<Found, void> {
    const found = await this.#fetchTag(referrersTag(this.#manifest));
    if (found?.mediaType === MEDIA_TYPES.index) yield* this.#fromEntries(parseIndex(found.bytes));
  }

  /** `cosign` kept all signatures in one manifest, which names no subject: its tag does. */
  async *#fromOldTag(): AsyncGenerator<Found, void> {
    const tag = `${referrersTag(this.#manifest)}.sig`;
    const found = await this.#fetchTag(tag);
    if (found !== undefined) yield* this.#fromLayers(parseManifest(found.bytes), `tag ${tag}`);
  }

  async #fetchTag(tag: string): ReturnType<OciClient["fetchManifestIfThere"]> {
    return await this.#client.fetchManifestIfThere({ ...this.#at, tag, digest: undefined }, this.#signal);
  }

  async *#fromEntries(entries: readonly Descriptor[]): AsyncGenerator<Found, void> {
    for (const { digest } of entries) {
      if (this.#seen.has(digest)) continue;
      if (this.#isFull) return;
      this.#seen.add(digest);
      this.#examined += 1;
      const place = ociDigest(digest);
      try {
        yield* this.#fromReferrer(digest, place);
      } catch (error) {
        yield { kind: "flaw", flaw: flawOf(error, place) };
      }
    }
  }

  async *#fromReferrer(digest: Digest, place: string): AsyncGenerator<Found, void> {
    const reference = { ...this.#at, tag: undefined, digest };
    const { bytes } = await this.#client.fetchManifest(reference, this.#signal);
    const manifest = parseManifest(bytes);
    if (manifest.subject?.digest === this.#manifest) yield* this.#fromLayers(manifest, place);
    else yield { kind: "flaw", flaw: `${place}: it refers to another manifest` };
  }

  async *#fromLayers({ layers }: ImageManifest, place: string): AsyncGenerator<Found, void> {
    const own = layers.filter(({ mediaType }) => isBundleType(mediaType) || mediaType === SIMPLE_SIGNING_TYPE);
    for (const layer of own) {
      if (this.#isFull) return;
      this.#examined += 1;
      try {
        yield { kind: "signature", signature: await this.#fetch(layer), place };
      } catch (error) {
        yield { kind: "flaw", flaw: flawOf(error, place) };
      }
    }
  }

  async #fetch(layer: Descriptor): Promise<Signature> {
    const bytes = await this.#client.fetchSmallBlob(this.#at, layer, FIXED_LIMITS.signatureBytes, this.#signal);
    if (layer.mediaType !== SIMPLE_SIGNING_TYPE) return { kind: "bundle", bytes };
    const signature = Buffer.from(layer.annotations?.[SIGNATURE_ANNOTATION] ?? "", "base64");
    return { kind: "simple-signing", payload: bytes, signature };
  }
}

/** In words; throws what concerns the registry as a whole. */
function flawOf(error: unknown, what: string): string {
  if (error instanceof HostError && FLAWS.has(error.code)) return `${what}: ${error.message}`;
  throw error;
}
