/**
 * `network-host pull`: fetches a component or a WIT package from a registry, whoever pushed it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { REPLICA_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import type { OciReference } from "../oci/reference.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseReferenceArgument, parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import { shownPath, type Terminal, write } from "./terminal.ts";

const HELP = `
The file appears when its last byte has been verified, or not at all. A file that is there is replaced.

Examples:
  $ network-host pull oci://registry.example.com/plugins/echo:1.0.0                 writes echo.wasm
  $ network-host pull oci://registry.example.com/plugins/echo@sha256:… -o new.wasm

Exit codes: 0 written; 1 it is not a component, or the file cannot be written; 2 wrong usage; 3 the registry cannot be used
now, has no such artifact, or does not let you. See docs/registry.md.`;

/** The command. `done` takes its exit code. */
export function createPullCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("pull")
    .summary("fetch a component from a registry")
    .description("Fetches a component or a WIT package from an OCI registry, and verifies it.")
    .argument("<reference>", "oci://<host>/<repository>:<tag> or …@sha256:<digest>")
    .option("-o, --output <file>", "the file to write (default: <name>.wasm, by the repository's last part)")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (reference: string, flags: Flags) => {
    done(await pull(parseReferenceArgument(reference), flags, terminal));
  });
}

async function pull(reference: OciReference, flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
  const output = flags["output"];
  const path =
    typeof output === "string"
      ? parsePath({ text: output, source: "--output" })
      : resolve(`${reference.repository.split("/").at(-1) ?? "component"}.wasm`);
  const access = parseRegistryAccess(flags, env);
  // Loaded here, so that the other commands start without them.
  const [{ openOciClient }, { pullComponent, resolveComponent }, { programUserAgent }] = await Promise.all([
    import("../oci/registry-access.ts"),
    import("../oci/component-pull.ts"),
    import("./user-agent.ts"),
  ]);
  await using client = await openOciClient(access, programUserAgent());
  const { manifest, layer } = await resolveComponent(client, reference);
  await intoFolderOf(path, async (folder) => {
    const maxBytes = REPLICA_LIMITS.componentBytes.max;
    return (await pullComponent(client, reference, layer, { folder, maxBytes, synced: "before-named" })).path;
  });
  const { host, repository } = reference;
  const facts = {
    file: path,
    reference: `oci://${host}/${repository}@sha256:${manifest}`,
    component: `sha256:${layer.digest}`,
    bytes: layer.size,
  };
  if (flags["json"] === true) await write(stdout, `${JSON.stringify(facts)}\n`);
  else await write(stdout, `${shownPath(path)}\n${facts.reference}\ncomponent ${facts.component}\n`);
  return EXIT.ok;
}

/** Fetches beside the file, so that a rename puts it in its place. Throws `output-failed` where that cannot be written. */
async function intoFolderOf(path: string, fetch: (folder: string) => Promise<string>): Promise<void> {
  const unwritable = (error: unknown): HostError => {
    const reason = error instanceof Error ? error.message : String(error);
    return new HostError("output-failed", `${path} cannot be written: ${reason}`, { cause: error });
  };
  const scratch = await mkdtemp(join(dirname(path), `.pull-${randomUUID()}-`)).catch((error: unknown) => {
    throw unwritable(error);
  });
  try {
    await rename(await fetch(scratch), path);
  } catch (error) {
    throw error instanceof HostError ? error : unwritable(error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
