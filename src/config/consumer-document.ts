/**
 * `consumers/<group>.yaml`: the plugins that a consumer group serves, under which queue group, within which
 * limits. It grants nothing; policies do.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { z } from "zod";
import {
  DEFAULT_REPLICA_LIMITS,
  FIXED_LIMITS,
  PLUGIN_LIMITS,
  type PluginLimits,
  REPLICA_LIMITS,
  type ReplicaLimits,
} from "../contract/limits.ts";
import type { PluginName } from "../contract/names.ts";
import type { WrpcSettings } from "../contract/wrpc-settings.ts";
import { OCI_SCHEME, type OciReference, parseReference } from "../oci/reference.ts";
import { DiagnosticList, type Parsed, type Position } from "./diagnostic.ts";
import { pluginNameSchema, refuseRepetition } from "./field-schemas.ts";
import { limitsSchema } from "./limit-schema.ts";
import { checkShape } from "./shape.ts";
import { wrpcSchema, wrpcSettingsOf } from "./wrpc-settings.ts";
import { readYaml } from "./yaml-text.ts";

const MAX_DESCRIPTION_LENGTH = 256;
const DEFAULT_VERSION = "0.0.0";

/** A consumer file, with every default filled in. */
export interface ConsumerDocument {
  /** The file as the operator named it. */
  readonly file: string;
  /** Name of the NATS queue group. */
  readonly group: string;
  /** At least one, each name once. */
  readonly plugins: readonly PluginEntry[];
  /** Defaults of the group's plugins; a policy's limits take precedence. See `resolveLimits`. */
  readonly limits: Partial<PluginLimits>;
  readonly replica: ReplicaLimits;
  readonly wrpc: WrpcSettings;
}

/** Where a plugin's component is. */
export type ComponentSource =
  /** Absolute path of a file. It need not exist yet. */
  { readonly kind: "file"; readonly path: string } | { readonly kind: "registry"; readonly reference: OciReference };

/** One plugin of a group. */
export interface PluginEntry {
  readonly name: PluginName;
  readonly component: ComponentSource;
  /** Semantic version for discovery. */
  readonly version: string;
  /** For discovery; empty if there is none. */
  readonly description: string;
  /** Where the entry begins in the file. */
  readonly position: Position;
}

const GROUP_ADVICE = "write the queue group's name: 1 to 63 of the characters a-z, A-Z, 0-9, '_' and '-'";
const COMPONENT_ADVICE =
  "write the path of a component's file, relative to this file, or oci://<host>/<repository>:<tag>";
const VERSION_ADVICE = 'write a semantic version in quotes, such as "1.0.0"';
const DESCRIPTION_ADVICE = `write one line of at most ${MAX_DESCRIPTION_LENGTH} characters`;
const PLUGINS_ADVICE = "write a list of one or more plugins, each with name and component";

const SEMANTIC_VERSION =
  /^(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const entrySchema = z.strictObject(
  {
    name: pluginNameSchema("The plugin's name: it answers requests on rpc.<name>."),
    component: z
      .string({ error: COMPONENT_ADVICE })
      // Neither empty, nor another URL, nor with a byte that no path may hold.
      .regex(/^(?:oci:\/\/|(?![A-Za-z][A-Za-z0-9+.-]*:\/\/))[^\0\r\n]{1,4096}$/, { error: COMPONENT_ADVICE })
      .superRefine((text, context) => {
        const parsed = text.startsWith(OCI_SCHEME) ? parseReference(text) : undefined;
        if (parsed?.kind === "problem") context.addIssue({ code: "custom", message: parsed.problem });
      })
      .meta({
        description:
          "The component's file, relative to this file or absolute; or its reference in a registry: oci://host/name:tag or oci://host/name@sha256:digest.",
        examples: ["../examples/echo-c/echo.wasm", "oci://registry.example.com/plugins/echo:1.0.0"],
      }),
    version: z
      .string({ error: VERSION_ADVICE })
      .max(64, { error: VERSION_ADVICE })
      .regex(SEMANTIC_VERSION, { error: VERSION_ADVICE })
      .optional()
      .meta({ description: `Semantic version, shown in discovery. Default: ${DEFAULT_VERSION}.` }),
    description: z
      .string({ error: DESCRIPTION_ADVICE })
      .max(MAX_DESCRIPTION_LENGTH, { error: DESCRIPTION_ADVICE })
      .regex(/^\P{Cc}*$/u, { error: DESCRIPTION_ADVICE })
      .optional()
      .meta({ description: "One line that says what the plugin does, shown in discovery." }),
  },
  { error: "write `name:` and `component:`" },
);

/** The shape of a consumer file. */
export const consumerSchema = z
  .strictObject(
    {
      group: z
        .string({ error: GROUP_ADVICE })
        .regex(/^[A-Za-z0-9_-]{1,63}$/, { error: GROUP_ADVICE })
        .meta({ description: "NATS queue group: the replicas of a group share its plugins' requests." }),
      plugins: z
        .array(entrySchema, { error: PLUGINS_ADVICE })
        .min(1, { error: PLUGINS_ADVICE })
        .max(FIXED_LIMITS.consumerPlugins, {
          error: `write at most ${FIXED_LIMITS.consumerPlugins} plugins; spread more over several groups`,
        })
        .superRefine(
          refuseRepetition(
            (entry) => entry.name,
            (index) => [index, "name"],
          ),
        )
        .meta({ description: "The plugins that the group serves; each name once." }),
      limits: limitsSchema(
        PLUGIN_LIMITS,
        "Defaults for the group's plugins; a plugin's policy may override them.",
      ).optional(),
      replica: limitsSchema(REPLICA_LIMITS, "Limits of each replica of the group.").optional(),
      wrpc: wrpcSchema.optional(),
    },
    { error: "write `group:` and `plugins:`" },
  )
  .superRefine(({ plugins, wrpc }, context) => {
    const names = new Set(plugins.map(({ name }) => name));
    const message = "the group has no such plugin; write the name of one of its `plugins`";
    for (const [index, { name }] of (wrpc?.tcp?.plugins ?? []).entries()) {
      const path = ["wrpc", "tcp", "plugins", index, "name"];
      if (!names.has(name)) context.addIssue({ code: "custom", path, message });
    }
    for (const [index, name] of (wrpc?.nats?.plugins ?? []).entries()) {
      const path = ["wrpc", "nats", "plugins", index];
      if (!names.has(name)) context.addIssue({ code: "custom", path, message });
    }
  })
  .meta({ title: "network-host consumer group", description: "The plugins that one consumer group serves." });

/** Reads a consumer file's text. `file` is its path: components are found relative to its folder. Touches no file. */
export function parseConsumer(text: string, file: string): Parsed<ConsumerDocument> {
  const problems = new DiagnosticList(file);
  const yaml = readYaml(text, problems);
  const fields = yaml === undefined ? undefined : checkShape(consumerSchema, yaml, problems);
  if (yaml === undefined || fields === undefined || problems.errors.length > 0) {
    return { kind: "invalid", errors: problems.errors };
  }
  const folder = dirname(file);
  const plugins = fields.plugins.map((entry, index): PluginEntry => ({
    name: entry.name,
    component: sourceOf(entry.component, folder),
    version: entry.version ?? DEFAULT_VERSION,
    description: entry.description ?? "",
    position: yaml.valueAt(["plugins", index]),
  }));
  const document: ConsumerDocument = {
    file,
    group: fields.group,
    plugins,
    limits: fields.limits ?? {},
    replica: { ...DEFAULT_REPLICA_LIMITS, ...fields.replica },
    wrpc: wrpcSettingsOf(fields.wrpc, folder),
  };
  return { kind: "valid", value: document, warnings: problems.warnings };
}

function sourceOf(text: string, folder: string): ComponentSource {
  const parsed = text.startsWith(OCI_SCHEME) ? parseReference(text) : undefined;
  return parsed?.kind === "reference"
    ? { kind: "registry", reference: parsed.reference }
    : { kind: "file", path: resolve(folder, text) };
}
