/**
 * `network-host tags`: the tags of a repository in a registry.
 *
 * @module
 */

import { Command } from "commander";
import type { OciReference } from "../oci/reference.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseRegistryAccess, parseRepositoryArgument, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
One tag a line, in the registry's order. Tags such as sha256-… belong to signatures.

Example:
  $ network-host tags oci://registry.example.com/plugins/echo

Exit codes: 0 listed; 1 refused; 2 wrong usage; 3 the registry cannot be used now, has no such repository, or does not let
you. See docs/registry.md.`;

/** The command. `done` takes its exit code. */
export function createTagsCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("tags")
    .summary("list the tags of a repository in a registry")
    .description("Lists the tags of a repository in an OCI registry.")
    .argument("<repository>", "oci://<host>/<repository>, without a tag")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (repository: string, flags: Flags) => {
    done(await listTags(parseRepositoryArgument(repository), flags, terminal));
  });
}

async function listTags(repository: OciReference, flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
  const access = parseRegistryAccess(flags, env);
  // Loaded here, so that the other commands start without them.
  const [{ openOciClient }, { programUserAgent }] = await Promise.all([
    import("../oci/registry-access.ts"),
    import("./user-agent.ts"),
  ]);
  await using client = await openOciClient(access, programUserAgent());
  const tags = await client.listTags(repository);
  if (flags["json"] === true) await write(stdout, `${JSON.stringify({ tags })}\n`);
  else await write(stdout, tags.map((tag) => `${printableText(tag)}\n`).join(""));
  return EXIT.ok;
}
