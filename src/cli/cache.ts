/**
 * `network-host cache`: lists the compiled components in the cache folder and removes some.
 *
 * @module
 */

import { Argument, Command } from "commander";
import { HostError } from "../errors/host-error.ts";
import type { ListedComponent } from "../registry/component-store.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CACHE_BYTES_SETTING, CACHE_SETTING, parseCacheBytes, parseCacheDir } from "./serve-options.ts";
import { type Flags, settingOption } from "./settings.ts";
import { alignColumns, type OutputStream, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
list   shows each compiled component: its digest, its size, when it was last used, and its engine; and each component
       that was pulled from a registry: what stands for it, and whether a consumer file names it
prune  removes the least recently used components until --cache-bytes are left
clear  removes all components that are not in use

Replicas may keep running. Whatever one of them, or a command, has used within the last 30 minutes is in use and
stays, unless you give --force. A replica that then misses something compiles it again.

Examples:
  $ network-host cache list
  $ network-host cache prune --cache-bytes 512MiB
  $ network-host cache clear --cache /var/cache/network-host

Exit codes: 0 done; 1 something could not be removed; 2 wrong usage. See docs/command-line.md.`;

const ACTIONS = ["list", "prune", "clear"] as const;
type Action = (typeof ACTIONS)[number];

/** The command. `done` takes its exit code. */
export function createCacheCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("cache")
    .summary("list and remove compiled components")
    .description("Lists the compiled components in the cache folder, or removes some.")
    .addArgument(new Argument("<action>", "what to do").choices(ACTIONS))
    .option("--force", "clear: also remove what is in use")
    .option("--json", "print one JSON object")
    .addOption(settingOption(CACHE_SETTING))
    .addOption(settingOption(CACHE_BYTES_SETTING))
    .addHelpText("after", HELP)
    .action(async (action: Action, flags: Flags) => {
      if (flags["force"] === true && action !== "clear")
        throw new HostError("usage-invalid", `--force is an option of clear: leave it out of ${action}`);
      done(await (action === "list" ? list(flags, terminal) : remove(action, flags, terminal)));
    });
}

async function list(flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
  const directory = parseCacheDir(flags, env);
  const [{ listArtifacts }, { isInUse }, { ComponentStore }] = await Promise.all([
    import("../registry/cache-contents.ts"),
    import("../registry/artifact-marks.ts"),
    import("../registry/component-store.ts"),
  ]);
  const artifacts = [...(await listArtifacts(directory))].sort((a, b) => b.usedMs - a.usedMs);
  const bytes = sizeOf(artifacts);
  const pulled = await ComponentStore.list(directory);
  if (flags["json"] === true) {
    const shown = artifacts.map(({ digest, engine, bytes: size, usedMs }) => ({
      digest,
      engine,
      bytes: size,
      lastUsed: new Date(usedMs).toISOString(),
      inUse: isInUse(usedMs),
    }));
    const components = pulled.map(({ isNamed, ...component }) => ({ ...component, named: isNamed }));
    await write(stdout, `${JSON.stringify({ directory, bytes, artifacts: shown, components })}\n`);
    return EXIT.ok;
  }
  const heading = ["DIGEST", "SIZE", "LAST USED", "ENGINE"].map((title) => styled(stdout, "quiet", title));
  const rows = artifacts.map(({ digest, engine, bytes: size, usedMs }) => [
    digest,
    mebibytes(size),
    isInUse(usedMs) ? styled(stdout, "good", "in use") : new Date(usedMs).toISOString(),
    engine,
  ]);
  const summary = `${directory}: ${artifacts.length} compiled components, ${mebibytes(bytes)}`;
  const lines = [...alignColumns([heading, ...rows]), "", summary, ...pulledLines(pulled, stdout)];
  await write(stdout, `${lines.join("\n")}\n`);
  return EXIT.ok;
}

/** Nothing is said of registries where none is used. */
function pulledLines(pulled: readonly ListedComponent[], stdout: OutputStream): readonly string[] {
  if (pulled.length === 0) return [];
  const heading = ["PULLED", "SIZE", "NAMED", "REFERENCES"].map((title) => styled(stdout, "quiet", title));
  const rows = pulled.map(({ digest, bytes, references, isNamed }) => [
    digest,
    mebibytes(bytes),
    isNamed ? styled(stdout, "good", "yes") : "no",
    references.join(" ") || "-",
  ]);
  return [
    "",
    ...alignColumns([heading, ...rows]),
    "",
    `${pulled.length} pulled components, ${mebibytes(sizeOf(pulled))}`,
  ];
}

async function remove(action: "prune" | "clear", flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
  const directory = parseCacheDir(flags, env);
  const maxBytes = action === "clear" ? 0 : parseCacheBytes(flags, env);
  const [{ listArtifacts }, { evict, selectEvictions }] = await Promise.all([
    import("../registry/cache-contents.ts"),
    import("../registry/cache-room.ts"),
  ]);
  const artifacts = await listArtifacts(directory);
  const selected = flags["force"] === true ? artifacts : selectEvictions(artifacts, sizeOf(artifacts) - maxBytes);
  const { artifacts: removed, bytes, stuck } = await evict(selected);
  const left = { artifacts: artifacts.length - removed, bytes: sizeOf(artifacts) - bytes };
  if (flags["json"] === true) {
    await write(stdout, `${JSON.stringify({ directory, removed, removedBytes: bytes, stuck, left })}\n`);
  } else {
    const kept = `${left.artifacts} are left, ${mebibytes(left.bytes)}${stuck > 0 ? `; ${stuck} could not be removed` : ""}`;
    await write(stdout, `${directory}: ${removed} compiled components removed, ${mebibytes(bytes)}; ${kept}\n`);
  }
  return stuck > 0 ? EXIT.failed : EXIT.ok;
}

function sizeOf(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

const MEBIBYTE = 1024 ** 2;

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
