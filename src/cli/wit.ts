/**
 * `network-host wit`: the contract for those who write plugins, without this program's repository.
 *
 * @module
 */

import { resolve } from "node:path";
import { Command } from "commander";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { shownPath, type Terminal, write } from "./terminal.ts";

const HELP = `
Plugin projects have the repository as a Git submodule, at the tag of the version that they build against. Written
again into the same folder, it replaces wit/ and leaves everything else.

Examples:
  $ network-host wit export plugin-contract
  $ git -C plugin-contract init && git -C plugin-contract add . && git -C plugin-contract commit -m "Contract 1.0.0"
  $ git -C plugin-contract tag v1.0.0

Exit codes: 0 written; 1 the folder cannot be written; 2 it holds something else, or wrong usage.
See docs/write-a-plugin/git-submodule.md.`;

/** The command. `done` takes its exit code. */
export function createWitCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("wit")
    .summary("write the contract that plugins are built against")
    .description("Writes the contract that plugins are built against.")
    .addHelpText("after", HELP)
    .helpCommand(false)
    .addCommand(
      new Command("export")
        .summary("write a repository that holds only wit/")
        .description("Writes a repository that holds only wit/, ready to be committed and tagged.")
        .argument("<dir>", "the repository's folder: a new or empty one, or one of an earlier export")
        .addHelpText("after", HELP)
        .action(async (folder: string) => {
          await exportTo(folder, terminal);
          done(EXIT.ok);
        }),
    );
}

async function exportTo(folder: string, { stdout, stderr }: Terminal): Promise<void> {
  // Loaded here, so that the other commands start without it.
  const { CONTRACT_PACKAGE, exportWit } = await import("./wit-export.ts");
  const path = resolve(folder);
  const { files, replaced } = await exportWit(path);
  const shown = shownPath(path);
  await write(stdout, `${shown}/wit: ${CONTRACT_PACKAGE}, ${files} files${replaced ? ", over what was there" : ""}\n`);
  const first = replaced ? "" : `git -C ${shown} init && `;
  await write(
    stderr,
    `To tag it:\n  ${first}git -C ${shown} add . && git -C ${shown} commit -m "Contract 1.0.0" && git -C ${shown} tag v1.0.0\n`,
  );
}
