/**
 * What a registry's documents look like, checked: image manifests, indexes and lists. Unknown members are ignored, as the
 * image specification asks; known ones of the wrong kind are refused. Pure.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 * @module
 */

import { z } from "zod";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { parseOciDigest } from "./reference.ts";

export const MEDIA_TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  wasmConfig: "application/vnd.wasm.config.v0+json",
  wasm: "application/wasm",
  empty: "application/vnd.oci.empty.v1+json",
} as const;

/** Layers that hold a component: today's media type, and those of earlier tools. */
const WASM_LAYERS: ReadonlySet<string> = new Set([
  MEDIA_TYPES.wasm,
  "application/vnd.wasm.content.layer.v1+wasm",
  "application/vnd.module.wasm.content.layer.v1+wasm",
]);

export const TITLE_ANNOTATION = "org.opencontainers.image.title";

const MAX_LAYERS = 1_024;
const MAX_TEXT = 4_096;

const digestSchema = z
  .string()
  .max(256)
  .transform((text, context): Digest => {
    const digest = parseOciDigest(text);
    if (digest === undefined) {
      context.addIssue({ code: "custom", message: "is not a SHA-256 digest" });
      return z.NEVER;
    }
    return digest;
  });

const annotationsSchema = z.record(z.string(), z.string());

const descriptorSchema = z.object({
  mediaType: z.string().max(MAX_TEXT),
  digest: digestSchema,
  size: z.int().nonnegative(),
  annotations: annotationsSchema.nullish(),
  artifactType: z.string().max(MAX_TEXT).nullish(),
});

/** Points to a blob or a manifest. */
export type Descriptor = z.output<typeof descriptorSchema>;

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(MAX_TEXT).optional(),
  artifactType: z.string().max(MAX_TEXT).nullish(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(MAX_LAYERS),
  subject: descriptorSchema.nullish(),
  annotations: annotationsSchema.nullish(),
});

/** An image manifest. */
export type ImageManifest = z.output<typeof manifestSchema>;

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(MAX_TEXT).optional(),
  manifests: z.array(z.unknown()),
});

const tagsSchema = z.object({ tags: z.array(z.string()).nullable() });

/** Reads an image manifest. Throws `registry-content-wrong`, or `artifact-unusable` where it is an index. */
export function parseManifest(bytes: Uint8Array): ImageManifest {
  const document = readJson(bytes, "manifest");
  if (typeof document === "object" && document !== null && "manifests" in document)
    throw new HostError("artifact-unusable", "it is an index of several artifacts: name one of them by its digest");
  return check(manifestSchema, document, "manifest");
}

/**
 * The manifests of an index. An entry that cannot be read (one with a digest of another algorithm) is left out, so that it hides
 * no other. Throws `registry-content-wrong`.
 */
export function parseIndex(bytes: Uint8Array): readonly Descriptor[] {
  return check(indexSchema, readJson(bytes, "index"), "index").manifests.flatMap((entry) => {
    const { success, data } = descriptorSchema.safeParse(entry);
    return success ? [data] : [];
  });
}

/** The tags of one page of a list. Throws `registry-content-wrong`. */
export function parseTagPage(bytes: Uint8Array): readonly string[] {
  return check(tagsSchema, readJson(bytes, "list of tags"), "list of tags").tags ?? [];
}

/** The layer that is the component. The config says nothing that counts. Throws `artifact-unusable`. */
export function componentLayer({ layers }: ImageManifest): Descriptor {
  const [layer] = layers;
  if (layer === undefined || layers.length > 1)
    throw new HostError(
      "artifact-unusable",
      `it has ${layers.length} layers; a component is one layer, application/wasm`,
    );
  if (!WASM_LAYERS.has(layer.mediaType))
    throw new HostError(
      "artifact-unusable",
      `its layer is ${JSON.stringify(layer.mediaType)}; a component's is application/wasm`,
    );
  return layer;
}

/** Reads JSON that a registry sent. Throws `registry-content-wrong`. */
export function readJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HostError("registry-content-wrong", `the registry's ${what} is not JSON`, { cause: error });
  }
}

function check<Output>(schema: z.ZodType<Output>, document: unknown, what: string): Output {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new HostError("registry-content-wrong", `the registry's ${what} is malformed${where}`, { cause: result.error });
}
