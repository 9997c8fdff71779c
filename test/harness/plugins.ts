/**
 * Consumer and policy files for replicas of tests, and where the plugins of the project are.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** What the builds of the gauntlet (test/components) request. */
export type GauntletLevels = "none" | "read" | "write" | "read-write" | "http" | "all";

/** Absolute path of a file of the project. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export const COMPONENTS = {
  echo: projectFile("examples/echo-c/echo.wasm"),
  userDataRust: projectFile("examples/user-data-rust/user-data-rust.wasm"),
  userDataTs: projectFile("examples/user-data-ts/user-data-ts.wasm"),
  gauntlet: (levels: GauntletLevels) => projectFile(`test/components/gauntlet-${levels}.wasm`),
  probe: (name: string) => projectFile(`test/components/probe-${name}.wasm`),
};

export interface ConsumerFile {
  readonly group: string;
  /** Plugin name → component. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly replica?: Readonly<Record<string, number>>;
  readonly wrpc?: object;
}

/**
 * The deadline of plugins that a test gives none. The host's own default is short for a machine that is busy with other
 * things, and no test is about how fast a machine is.
 */
const AMPLE_DEADLINE_MS = 30_000;

/** The text of a consumer file. JSON is YAML. */
export function consumerFile({ group, plugins, limits, replica, wrpc }: ConsumerFile): string {
  return JSON.stringify({
    group,
    plugins: Object.entries(plugins).map(([name, component]) => ({ name, component })),
    limits: { deadlineMs: AMPLE_DEADLINE_MS, ...limits },
    ...(replica === undefined ? {} : { replica }),
    ...(wrpc === undefined ? {} : { wrpc }),
  });
}

/** The texts of policy files: plugin name → what is in its file besides the name. */
export function policyFiles(policies: Readonly<Record<string, object>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(policies).map(([plugin, policy]) => [`${plugin}.yaml`, JSON.stringify({ plugin, ...policy })]),
  );
}

export const READ_WRITE = { allow: ["key-value-read", "key-value-write"] } as const;

let names = 0;

/** A plugin's name that no other test of this run uses: tests share a NATS server. */
export function uniqueName(stem: string): string {
  names += 1;
  return `${stem}-${process.pid.toString(36)}-${names}`;
}
