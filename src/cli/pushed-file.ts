/**
 * Describes what is pushed: a component's file, or the contract as this package brings it.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readComponent } from "../component/read-component.ts";
import { digestOf } from "../contract/digest.ts";
import { REPLICA_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { readComponentFile } from "../registry/plugin-source.ts";
import { CONTRACT_PACKAGE } from "./wit-export.ts";

export interface PushedFile {
  readonly path: string;
  /** The name that a puller may write it by, where it is not the path's. */
  readonly title?: string;
  readonly digest: Digest;
  readonly size: number;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where the contract's binary form is in this package, also when it runs from `dist/`. */
const CONTRACT_FILE = fileURLToPath(new URL("../../schemas/network-host.wasm", import.meta.url));

const ANNOTATION = "org.opencontainers.image.";

/**
 * A component's file, as large as some consumer file could allow. Throws `component-unreadable`, and `usage-invalid` where it is
 * not a component. That it passes the gate is not asked: a WIT package is a component, too.
 */
export async function describeComponentFile(path: string): Promise<PushedFile> {
  const bytes = await readComponentFile(path, REPLICA_LIMITS.componentBytes.max);
  return { path, ...describe(bytes, path), annotations: {} };
}

/** The contract as a WIT package. Its exports are named as `wkg` names them: with the package. */
export async function describeContract(): Promise<PushedFile> {
  const bytes = await readFile(CONTRACT_FILE);
  const [name = "", version = ""] = CONTRACT_PACKAGE.split("@");
  const described = describe(bytes, CONTRACT_FILE);
  return {
    path: CONTRACT_FILE,
    title: "network-host.wasm",
    ...described,
    exports: described.exports.map((one) => `${name}/${one}@${version}`),
    annotations: {
      [`${ANNOTATION}version`]: version,
      [`${ANNOTATION}description`]: "The contract of network-host's plugins",
      [`${ANNOTATION}licenses`]: "Apache-2.0",
    },
  };
}

function describe(bytes: Uint8Array, path: string): Pick<PushedFile, "digest" | "size" | "imports" | "exports"> {
  const named = (kind: "import" | "export"): string[] =>
    definitions.flatMap((definition) => (definition.kind === kind ? [definition.name] : []));
  const { definitions } = readComponentOrThrow(bytes, path);
  return { digest: digestOf(bytes), size: bytes.length, imports: named("import"), exports: named("export") };
}

function readComponentOrThrow(bytes: Uint8Array, path: string): ReturnType<typeof readComponent> {
  try {
    return readComponent(bytes);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new HostError("usage-invalid", `${path}: ${error.message}`);
  }
}
