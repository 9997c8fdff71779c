/**
 * Brings a blob into a folder, under its digest: `<digest>.wasm`.
 *
 * A file appears under a digest's name by a rename, after its last byte was hashed; until then it has a temporary name, and
 * whatever goes wrong removes it. The bytes pass through memory in pieces.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { writeBlob } from "./blob-file.ts";
import type { OciClient } from "./client.ts";
import { type FileState, fileStateOf } from "./file-state.ts";
import { componentLayer, type Descriptor, parseManifest } from "./manifest.ts";
import { formatReference, type OciReference, type OciRepository } from "./reference.ts";

/** Names of unfinished files begin with this; no digest does. */
export const UNFINISHED_PREFIX = "tmp-";

/** A component as a registry describes it. */
export interface RemoteComponent {
  /** Of the manifest. */
  readonly manifest: Digest;
  readonly etag: string | undefined;
  /** The component's own bytes: its digest is what policies and logs name. */
  readonly layer: Descriptor;
}

/** Asks a registry what component a reference names. Throws `artifact-unusable` where it names something else. */
export async function resolveComponent(
  client: OciClient,
  reference: OciReference,
  signal?: AbortSignal,
): Promise<RemoteComponent> {
  const { bytes, digest, etag } = await client.fetchManifest(reference, signal);
  try {
    return { manifest: digest, etag, layer: componentLayer(parseManifest(bytes)) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new HostError(error.code, `${formatReference(reference)}: ${error.message}`, { cause: error });
  }
}

/** The path that a component of this digest has in a folder. */
export function componentPathIn(folder: string, digest: Digest): string {
  return join(folder, `${digest}.wasm`);
}

/** A component that was fetched. */
export interface PulledComponent {
  readonly path: string;
  /** As long as the file has this state, its content is what was hashed. */
  readonly state: FileState;
}

/** How a component is fetched. */
export interface PullOptions {
  /** An existing one. */
  readonly folder: string;
  readonly maxBytes: number;
  /**
   * When the disk has it: before it has its name, or once the caller has synced it. Until then a power cut may leave a part of
   * it under its name, which whoever compares it with its digest will see.
   */
  readonly synced: "before-named" | "by-caller";
  readonly signal?: AbortSignal;
}

/** Fetches a component into a folder. Throws `component-rejected` where it is larger than `maxBytes`. */
export async function pullComponent(
  client: OciClient,
  at: OciRepository,
  layer: Pick<Descriptor, "digest" | "size">,
  { folder, maxBytes, synced, signal }: PullOptions,
): Promise<PulledComponent> {
  if (layer.size > maxBytes)
    throw new HostError(
      "component-rejected",
      `${at.host}/${at.repository}: the component has ${layer.size} bytes, at most ${maxBytes} are allowed; strip debug ` +
        "information from it, build it for size, or set replica.componentBytes in the consumer file",
    );
  const path = componentPathIn(folder, layer.digest);
  const unfinished = join(folder, `${UNFINISHED_PREFIX}${randomUUID()}`);
  try {
    await using file = await open(unfinished, "wx", 0o600);
    await writeBlob(file, client.fetchBlob(at, layer, signal));
    if (synced === "before-named") await file.sync();
    await rename(unfinished, path);
    // Of the open file, whatever has that name by now; and after the rename, which changes it.
    return { path, state: fileStateOf(await file.stat({ bigint: true })) };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
