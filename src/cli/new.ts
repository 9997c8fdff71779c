/**
 * `network-host new`: a project for a plugin that builds, has a test, a policy and a consumer file.
 *
 * @module
 */

import { Argument, Command } from "commander";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { isPluginName, type PluginName } from "../contract/names.ts";
import { type Language, LANGUAGES } from "../project/language.ts";
import { badSetting, type Flags, parsePath, readPath, type Setting, settingOption } from "./settings.ts";
import { shownPath, styled, type Terminal, write } from "./terminal.ts";

const SDK_SETTING: Setting = {
  flags: "--sdk <folder>",
  env: "NETWORK_PLUGIN_SDK",
  description: "take the language's package from this folder of packed packages, and copy it into the project",
  fallback: "the published one",
};

const HELP = `
The project has the plugin's source, a test, a policy and a consumer file, and builds as it is: network-host build.

Examples:
  $ network-host new typescript hello
  $ network-host new rust hello --folder plugins/hello
  $ network-host new c hello --sdk packed

Exit codes: 0 made; 1 it cannot be written; 2 wrong usage, or the folder holds something. See docs/kit.md.`;

/** The command. `done` takes its exit code. */
export function createNewCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command("new")
    .summary("make a project for a plugin")
    .description("Makes a project for a plugin, with a test, a policy and a consumer file.")
    .addArgument(new Argument("<language>", "the plugin's language").choices(LANGUAGES))
    .argument("<name>", "the plugin's name")
    .option("--folder <folder>", "where the project goes (default: a new folder of the plugin's name)")
    .addOption(settingOption(SDK_SETTING))
    .addHelpText("after", HELP)
    .action(async (language: Language, text: string, flags: Flags) => {
      const name = parseName(text);
      const named = flags["folder"];
      const folder = parsePath({ text: typeof named === "string" ? named : name, source: "--folder" });
      // Loaded here, so that the other commands start without it.
      const { createProject } = await import("../project/template.ts");
      const packages = readPath(SDK_SETTING, flags, terminal.env);
      const files = await createProject({ language, name, folder, packages });
      await report(folder, files, terminal);
      done(EXIT.ok);
    });
}

function parseName(text: string): PluginName {
  if (isPluginName(text)) return text;
  throw badSetting({ text, source: "<name>" }, "write words of a-z and 0-9 joined by '-', for example hello-world");
}

async function report(folder: string, files: readonly string[], { stdout, stderr }: Terminal): Promise<void> {
  const shown = shownPath(folder);
  await write(stdout, files.map((file) => `${shown}/${file}\n`).join(""));
  const quiet = (text: string): string => styled(stderr, "quiet", text);
  const next = [`cd ${shown}`, "network-host build", "network-host test", "network-host dev greet World"];
  await write(stderr, `${quiet("Next:")}\n${next.map((line) => `  ${line}\n`).join("")}`);
}
