/**
 * `network-host compile`: fills the folder of compiled components ahead of time, for example when an image is built, so
 * that replicas start without compiling.
 *
 * @module
 */

import { Command } from "commander";
import { denyAll } from "../policy/create-policy.ts";
import { formatError } from "./error-report.ts";
import type { Examination } from "./examination.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { nameOfFile } from "./plugin-name.ts";
import { CACHE_BYTES_SETTING, CACHE_SETTING, parseCacheBytes, parseCacheDir } from "./serve-options.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import { alignColumns, shownPath, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
Each component passes gate, compiler and probe as in "serve"; the result is kept in the cache. A replica with the same
versions of network-host and Node, and the same cache, uses it from there. No policy is needed.

Examples:
  $ network-host compile plugins/*.wasm
  $ network-host compile plugins/*.wasm --cache /var/cache/network-host     in a Dockerfile

Exit codes: 0 all are compiled; 1 one was refused, or the cache cannot be written; 2 wrong usage, or a file that
cannot be read; 3 one could not be tried now: try again. See docs/command-line.md.`;

/** The command. `done` takes its exit code. */
export function createCompileCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("compile")
    .summary("compile components ahead of time, into the cache")
    .description("Compiles components into the cache, so that a replica starts without compiling.")
    .argument("<component...>", "the components' files")
    .option("--json", "print one JSON object")
    .addOption(settingOption(CACHE_SETTING))
    .addOption(settingOption(CACHE_BYTES_SETTING))
    .addHelpText("after", HELP)
    .action(async (components: readonly string[], flags: Flags) => {
      done(await compile(components, flags, terminal));
    });
}

async function compile(components: readonly string[], flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const { env, stdout, stderr } = terminal;
  const directory = parseCacheDir(flags, env);
  const paths = components.map((text) => parsePath({ text, source: "<component>" }));
  // Loaded here, so that the other commands start without it.
  const { Examiner, specOf } = await import("./examination.ts");
  const options = { maxBytes: parseCacheBytes(flags, env), fallback: "none" } as const;
  const examinations: Examination[] = [];
  {
    await using examiner = await Examiner.open(directory, options);
    // One after another: each may take a core and memory for a while.
    for (const path of paths) {
      const name = nameOfFile(path);
      examinations.push(await examiner.examine(specOf(name, path, denyAll(name))));
    }
  }
  if (flags["json"] === true) {
    const shown = examinations.map((examination) => resultJson(examination));
    const ok = shown.every(({ error }) => error === null);
    await write(stdout, `${JSON.stringify({ ok, directory, components: shown })}\n`);
  } else {
    const rows = examinations.map(({ path, outcome, file }) => [
      outcome.kind === "loaded" ? styled(stdout, "good", "compiled") : styled(stdout, "bad", "failed"),
      file?.digest ?? "unread",
      shownPath(path),
    ]);
    await write(stdout, `${alignColumns(rows).join("\n")}\n`);
    for (const { path, outcome } of examinations) {
      if (outcome.kind === "failed") await write(stderr, `${shownPath(path)}: ${formatError(outcome.error, stderr)}`);
    }
  }
  return firstFailure(examinations);
}

function resultJson({ path, file, outcome }: Examination) {
  const error = outcome.kind === "failed" ? { code: outcome.error.code, message: outcome.error.message } : null;
  return { component: path, digest: file?.digest ?? null, bytes: file?.bytes ?? null, error };
}

/** A lasting failure outweighs one that may pass. */
function firstFailure(examinations: readonly Examination[]): ExitCode {
  const codes = examinations.flatMap(({ outcome }) =>
    outcome.kind === "failed" ? [exitCodeOf(outcome.error.code)] : [],
  );
  return codes.length === 0 ? EXIT.ok : Math.min(...codes);
}
