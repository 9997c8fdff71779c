/**
 * Puts a component or a WIT package into a registry, laid out as `wkg` does: a config that describes the component, and one layer
 * with its bytes.
 *
 * @see https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
 * @module
 */

import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";
import type { BlobContent, OciClient } from "./client.ts";
import { MEDIA_TYPES, TITLE_ANNOTATION } from "./manifest.ts";
import { ociDigest, type OciRepository } from "./reference.ts";

/** What to push. */
export interface ComponentToPush {
  /** The component's own. */
  readonly content: BlobContent;
  /** The file's name, by which `oras pull` writes it. */
  readonly title: string;
  /** Names of its imports and exports, in its own order. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly author?: string;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The time that the config names. */
  readonly created: Date;
}

/** What the registry has now. */
export interface PushedComponent {
  readonly manifest: Digest;
  /** Whether its bytes had to be sent. */
  readonly layer: "uploaded" | "present";
}

/** Pushes the layer, the config and last the manifest, so that no tag ever stands for something incomplete. */
export async function pushComponent(
  client: OciClient,
  at: OciRepository & { readonly tag: string | undefined },
  component: ComponentToPush,
  signal?: AbortSignal,
): Promise<PushedComponent> {
  const config = Buffer.from(JSON.stringify(configOf(component)));
  const configContent = { digest: digestOf(config), size: config.length, open: () => config };
  const layer = await client.pushBlob(at, component.content, signal);
  await client.pushBlob(at, configContent, signal);
  const manifest = Buffer.from(JSON.stringify(manifestOf(component, configContent)));
  const { digest } = await client.pushManifest(at, manifest, MEDIA_TYPES.manifest, signal);
  return { manifest: digest, layer };
}

function configOf({ content, imports, exports, author, created }: ComponentToPush) {
  return {
    created: created.toISOString(),
    author: author ?? null,
    architecture: "wasm",
    os: "wasip2",
    layerDigests: [ociDigest(content.digest)],
    component: { exports, imports, target: null },
  };
}

function manifestOf(
  { content, title, annotations = {} }: ComponentToPush,
  config: Pick<BlobContent, "digest" | "size">,
) {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.wasmConfig, digest: ociDigest(config.digest), size: config.size },
    layers: [
      {
        mediaType: MEDIA_TYPES.wasm,
        digest: ociDigest(content.digest),
        size: content.size,
        annotations: { [TITLE_ANNOTATION]: title },
      },
    ],
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}
