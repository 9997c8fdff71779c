/**
 * Reads an artifact's manifest from disk. It is not trusted: anyone may have edited it.
 *
 * @module
 */

import { z } from "zod";
import { ARTIFACT_FORMAT, type ArtifactManifest } from "../contract/artifact.ts";
import { type Digest, isDigest } from "../contract/names.ts";
import { linkEntrySchema } from "../supervisor/compilation/link-entry-schema.ts";

const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value));

/** A file's name without a path in it. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);

const manifestSchema = z
  .strictObject({
    format: z.literal(ARTIFACT_FORMAT),
    digest,
    componentBytes: z.int().min(0),
    engine: z.string().max(128),
    files: z.record(fileName, digest),
    entry: fileName,
    link: linkEntrySchema(fileName),
    coreModules: z.array(fileName).readonly(),
    imports: z.array(z.string()).readonly(),
    exports: z.array(z.string()).readonly(),
    memories: z.int().min(1),
    makesObjects: z.boolean(),
  })
  .refine(
    ({ files, entry, link, coreModules }) =>
      [entry, ...coreModules, ...(link.kind === "planned" ? [link.plan] : [])].every((name) =>
        Object.hasOwn(files, name),
      ),
    "the entry, the link plan or a core module is not among the files",
  );

/** Parses a manifest; a string says why it cannot be used. */
export function parseManifest(content: Buffer): ArtifactManifest | string {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    return "its manifest is not JSON";
  }
  const result = manifestSchema.safeParse(value);
  return result.success ? result.data : `its manifest is not valid: ${result.error.issues[0]?.message ?? "unknown"}`;
}
