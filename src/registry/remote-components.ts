/**
 * The components that consumer files name by references to registries: each is brought into the {@link ComponentStore}, and tags
 * are looked at again at an interval. What changes is the link that a plugin loads, so a tag that stands for another component
 * is swapped like a file that changed.
 *
 * Invariants: what is here goes on serving, whatever the registry does. A registry that cannot be used delays the start of a
 * replica that has the component by a few seconds at most, and its errors never remove anything. A reference by digest is
 * asked for once.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import type { OciClient } from "../oci/client.ts";
import { componentPathIn, pullComponent, type RemoteComponent, resolveComponent } from "../oci/component-pull.ts";
import { type FileState, readFileState } from "../oci/file-state.ts";
import type { OciReference } from "../oci/reference.ts";
import { resultWithin } from "../scheduling/result-within.ts";
import type { VerificationKey } from "../signatures/verification-key.ts";
import { type ComponentStore, referenceText, type StoredReference } from "./component-store.ts";
import { Gate } from "./gate.ts";
import { StoreUpkeep } from "./store-upkeep.ts";
import { expectSigned } from "./signature-checks.ts";

export interface RemoteComponentEvents {
  /** A reference stands for this component now; `before` is what it stood for, if anything is known. */
  resolved(reference: string, now: StoredReference, before: StoredReference | undefined, durationMs: number): void;
  /** The registry could not be asked, and the component that is here goes on. Reported once until it can. */
  failed(reference: string, error: HostError, serves: Digest, retryMs: number | undefined): void;
  /** The registry can be asked again. */
  recovered(reference: string): void;
  /** Nothing could be done for the disk: records may not survive a power cut, or components that nobody names stay. */
  upkeepFailed(error: HostError): void;
}

export interface RemoteComponentsOptions {
  readonly client: OciClient;
  /** Opens the store, when the first reference is followed or obtained. */
  readonly openStore: () => Promise<ComponentStore>;
  /** How often tags are looked at, on average. */
  readonly checkMs: number;
  /** Bytes of all components in the store. Those that are named stay even beyond it. */
  readonly maxBytes: number;
  /** In place of `registryStartMs`; for tests. */
  readonly startWaitMs?: number;
  readonly events: RemoteComponentEvents;
  /** 0 to 1, as `Math.random`; tests have their own. */
  readonly random?: () => number;
}

/** Replicas that were started together do not ask together. */
const JITTER = 0.2;

/** Transfers at a time: more would share the same line, and leave no connection (`registryConnections`) to ask about other components. */
const CONCURRENT_PULLS = 6;
/** A transfer that takes longer is large, or its registry is slow; it gives its place to the next. */
const HOLD_MS = 1_000;

interface Entry {
  readonly reference: OciReference;
  maxBytes: number;
  known: StoredReference | undefined;
  /** Must the registry be asked, even if the component is here? */
  isDue: boolean;
  isFailing: boolean;
  /** An update in progress. */
  updating: Promise<StoredReference> | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class RemoteComponents implements AsyncDisposable {
  readonly #options: RemoteComponentsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #pulls = new Gate({ places: CONCURRENT_PULLS, holdMs: HOLD_MS });
  /** Transfers in progress, by repository and digest: two references may stand for the same component. */
  readonly #pulling = new Map<string, Promise<void>>();
  /** The files of components that were hashed when they came, as they were then. */
  readonly #verified = new Map<Digest, FileState>();
  readonly #upkeep: StoreUpkeep;
  readonly #closing = new AbortController();
  #store: Promise<ComponentStore> | undefined;

  constructor(options: RemoteComponentsOptions) {
    this.#options = options;
    this.#upkeep = new StoreUpkeep({
      store: () => this.#opened(),
      maxBytes: options.maxBytes,
      failed: (error) => options.events.upkeepFailed(toHostError(error)),
    });
  }

  /**
   * Makes the component of a reference be in the store, at its path; returns its digest. Asks the registry if the component is
   * not here, or for a tag at the first call and after {@link recheck}; with a component that is here it waits for that a few
   * seconds. Throws the codes of `OciClient`, `artifact-unusable`, and `component-rejected` where it is larger than `maxBytes`.
   */
  async obtain(reference: OciReference, maxBytes: number): Promise<Digest> {
    this.#closing.signal.throwIfAborted();
    const entry = this.#entry(reference);
    entry.maxBytes = maxBytes;
    const here = await this.#here(entry);
    const updating = this.#update(entry, here, "start");
    if (here === undefined) return (await updating).component;
    // What takes longer goes on: it changes the link when it is done, and that is loaded like a file that changed.
    const { startWaitMs = FIXED_LIMITS.registryStartMs } = this.#options;
    return ((await resultWithin(startWaitMs, updating)) ?? here).component;
  }

  /**
   * Which of the keys have signed the component of a reference, as it was obtained; at least one. Throws `signature-missing`, the
   * codes of `OciClient`, and `load-failed` where the reference stands for another component meanwhile.
   */
  async signers(
    reference: OciReference,
    component: Digest,
    keys: readonly VerificationKey[],
  ): Promise<readonly Digest[]> {
    this.#closing.signal.throwIfAborted();
    const known = await this.#here(this.#entry(reference));
    if (known?.component !== component)
      throw new HostError("load-failed", `${referenceText(reference)} stands for another component now`);
    const { signal } = this.#closing;
    const options = { client: this.#options.client, store: await this.#opened(), signal };
    return await expectSigned(options, { reference, manifest: known.manifest, component }, keys);
  }

  /**
   * Is a component's file as it was when this process fetched and hashed it? Then to know its digest it need not be read again;
   * whatever is compiled is hashed in any case.
   */
  async isVerified(digest: Digest): Promise<boolean> {
    const verified = this.#verified.get(digest);
    if (verified === undefined) return false;
    const isSame = (await readFileState(componentPathIn((await this.#opened()).folder, digest))) === verified;
    if (!isSame) this.doubt(digest);
    return isSame;
  }

  /** A component's file has to be read again before anything is said about it. */
  doubt(digest: Digest): void {
    this.#verified.delete(digest);
  }

  /** A component that was read is not what its digest says: it is fetched again when it is asked for. */
  async discard(reference: OciReference, digest: Digest): Promise<void> {
    this.doubt(digest);
    this.#entry(reference).known = undefined;
    await (await this.#opened()).discard(digest);
  }

  /** Begins to look at the tags among the references, and ends to look at all others. Keeps the components of all. */
  async follow(consumerFile: string, references: readonly OciReference[]): Promise<void> {
    const followed = new Set(references.map(referenceText));
    for (const [key, entry] of this.#entries) {
      if (followed.has(key)) continue;
      clearTimeout(entry.timer);
      this.#entries.delete(key);
      if (entry.known !== undefined) this.doubt(entry.known.component);
    }
    for (const reference of references) this.#planCheck(this.#entry(reference), undefined);
    // A replica of files alone needs no folder for this.
    if (references.length === 0 && this.#store === undefined) return;
    await (await this.#opened()).name(consumerFile, references);
  }

  /** The registry is asked about each tag when it is obtained next. */
  recheck(): void {
    for (const entry of this.#entries.values()) entry.isDue = true;
  }

  /** Ends transfers and checks, and every later {@link obtain} at once. What is here stays. Idempotent. */
  giveUp(): void {
    this.#closing.abort(new HostError("registry-unreachable", "the replica is stopping"));
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.giveUp();
    const updating = [...this.#entries.values()].flatMap((entry) => entry.updating ?? []);
    await Promise.allSettled(updating);
    await this.#upkeep[Symbol.asyncDispose]();
    await this.#options.client[Symbol.asyncDispose]();
  }

  /** A folder that cannot be opened now may be repaired. */
  async #opened(): Promise<ComponentStore> {
    this.#store ??= this.#options.openStore().catch((error: unknown) => {
      this.#store = undefined;
      throw error;
    });
    return await this.#store;
  }

  #entry(reference: OciReference): Entry {
    const key = referenceText(reference);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {
        reference,
        maxBytes: 0,
        known: undefined,
        isDue: true,
        isFailing: false,
        updating: undefined,
        timer: undefined,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** Unless one is planned already. References by digest never change. */
  #planCheck(entry: Entry, atLeastMs: number | undefined): number | undefined {
    if (entry.reference.digest !== undefined || this.#closing.signal.aborted) return undefined;
    if (entry.timer !== undefined) return undefined;
    const { checkMs, random = Math.random } = this.#options;
    const delayMs = Math.max(checkMs * (1 + JITTER * (random() - 0.5)), atLeastMs ?? 0);
    entry.timer = setTimeout(() => void this.#check(entry), delayMs).unref();
    return delayMs;
  }

  /** Never rejects. */
  async #check(entry: Entry): Promise<void> {
    entry.timer = undefined;
    entry.isDue = true;
    try {
      if (entry.maxBytes > 0) await this.#update(entry, await this.#here(entry), "check");
    } catch {
      // There is no component yet: the loader has reported why. When there is one, its path is new, and it is loaded.
    }
    if (this.#entries.get(referenceText(entry.reference)) === entry) this.#planCheck(entry, undefined);
  }

  /** One at a time. `here` is what {@link #here} has found. Rejects only where nothing is here. */
  #update(entry: Entry, here: StoredReference | undefined, reason: "start" | "check"): Promise<StoredReference> {
    entry.updating ??= this.#updateOnce(entry, here, reason).finally(() => (entry.updating = undefined));
    return entry.updating;
  }

  async #updateOnce(
    entry: Entry,
    here: StoredReference | undefined,
    reason: "start" | "check",
  ): Promise<StoredReference> {
    const { reference } = entry;
    if (here === undefined) return await this.#ask(entry, undefined, this.#closing.signal);
    const isFixed = reference.digest !== undefined;
    if (isFixed || !entry.isDue) return here;
    const { signal } = this.#closing;
    const { startWaitMs = FIXED_LIMITS.registryStartMs } = this.#options;
    const bound = reason === "check" ? signal : AbortSignal.any([signal, AbortSignal.timeout(startWaitMs)]);
    try {
      const now = await this.#ask(entry, here, bound);
      if (entry.isFailing) this.#options.events.recovered(referenceText(reference));
      entry.isFailing = false;
      return now;
    } catch (error) {
      this.#keep(entry, here, toHostError(error));
      return here;
    }
  }

  /** What is known of the reference, if its component is here. */
  async #here(entry: Entry): Promise<StoredReference | undefined> {
    const store = await this.#opened();
    const { known } = entry;
    if (known !== undefined && (await store.has(known.component, known.size))) return known;
    entry.known = await store.find(entry.reference);
    return entry.known;
  }

  #keep(entry: Entry, here: StoredReference, error: HostError): void {
    entry.isDue = false;
    if (error.retryAfterMs !== undefined) {
      clearTimeout(entry.timer);
      entry.timer = undefined;
    }
    const retryMs = this.#planCheck(entry, error.retryAfterMs);
    if (entry.isFailing || this.#closing.signal.aborted) return;
    entry.isFailing = true;
    this.#options.events.failed(referenceText(entry.reference), error, here.component, retryMs);
  }

  /** Asks the registry; if the reference stands for another component now, brings that here and changes the link. */
  async #ask(entry: Entry, here: StoredReference | undefined, signal: AbortSignal): Promise<StoredReference> {
    const { client, events } = this.#options;
    const store = await this.#opened();
    const { reference } = entry;
    const startMs = performance.now();
    if (
      here !== undefined &&
      !(await client.hasChanged(reference, { digest: here.manifest, etag: here.etag }, signal))
    ) {
      entry.isDue = false;
      return here;
    }
    const remote = await resolveComponent(client, reference, signal);
    const { manifest, etag, layer } = remote;
    const now: StoredReference = { manifest, etag, component: layer.digest, size: layer.size };
    // From here on it may take long, and no load that has the component waits for it: the bound is for a registry that is silent.
    await this.#upkeep.after(layer.size, async () => {
      await this.#bring(reference, remote, entry.maxBytes);
      await store.point(reference, now);
    });
    // Who else loads it reads it: what tags stood for once must not be held for ever.
    if (here !== undefined && here.component !== now.component) this.doubt(here.component);
    entry.known = now;
    entry.isDue = false;
    events.resolved(referenceText(reference), now, here, performance.now() - startMs);
    return now;
  }

  async #bring(reference: OciReference, { layer }: RemoteComponent, maxBytes: number): Promise<void> {
    const { client } = this.#options;
    const store = await this.#opened();
    if (await store.has(layer.digest, layer.size)) return;
    // Not of another repository: its registry may be slow.
    const key = `${reference.host}/${reference.repository}@${layer.digest}`;
    const underWay = this.#pulling.get(key);
    if (underWay !== undefined) return await underWay;
    const { signal } = this.#closing;
    const pulling = this.#pulls
      .run(async () => {
        // What points to it is synced with it.
        const options = { folder: store.folder, maxBytes, synced: "by-caller", signal } as const;
        const { state } = await pullComponent(client, reference, layer, options);
        this.#verified.set(layer.digest, state);
      })
      .finally(() => this.#pulling.delete(key));
    this.#pulling.set(key, pulling);
    await pulling;
  }
}
