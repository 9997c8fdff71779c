/**
 * `network-host data`: the data that plugins have in the store, including plugins that are no longer served.
 *
 * @module
 */

import { type FileHandle, open } from "node:fs/promises";
import { Command } from "commander";
import type { BucketSize, Namespace } from "../app-data.ts";
import { isBucketName, isPluginName } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseStoreOptions, STORE_SETTINGS } from "./serve-options.ts";
import { type Flags, parsePath, quoted, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
Examples:
  $ network-host data list                                 what is there, of every plugin
  $ network-host data export user-data > user-data.ndjson  all values of a plugin's private buckets
  $ network-host data import user-data user-data.ndjson    set them again, overwriting existing ones
  $ network-host data delete user-data --yes               remove them
  $ network-host data export --shared sessions > sessions.ndjson`;

interface DataFlags {
  /** True if the name is that of a shared bucket. */
  readonly shared?: true;
  readonly json?: true;
  readonly yes?: true;
}

/** The command. `done` takes its exit code. */
export function createDataCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const act = async (work: Promise<void>): Promise<void> => {
    await work;
    done(EXIT.ok);
  };
  return new Command("data")
    .summary("list, export, import and delete what plugins have stored")
    .description("Lists, exports, imports and deletes what plugins have stored, whether or not a replica serves them.")
    .addHelpText("after", HELP)
    .addCommand(
      subcommand("list", "[name]", "show the buckets, their keys and bytes")
        .option("--json", "print an array of objects")
        .action((name: string | undefined, flags: DataFlags) => act(list(name, flags, terminal))),
    )
    .addCommand(
      subcommand("export", "<name>", "write all values to standard output, one per line").action(
        (name: string, flags: DataFlags) => act(exportAll(name, flags, terminal)),
      ),
    )
    .addCommand(
      subcommand("import", "<name>", "set all values of an export, overwriting existing ones")
        .argument("[file]", "the file to import, - for standard input", "-")
        .action((name: string, file: string, flags: DataFlags) => act(importAll(name, file, flags, terminal))),
    )
    .addCommand(
      subcommand("delete", "<name>", "remove all values")
        .option("--yes", "delete; without it, only show what would be deleted")
        .action((name: string, flags: DataFlags) => act(deleteAll(name, flags, terminal))),
    );
}

function subcommand(verb: string, name: string, summary: string): Command {
  const command = new Command(verb)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .argument(name, "the plugin's name; with --shared, the shared bucket's")
    .option("--shared", "use a bucket that plugins share, instead of a plugin's private ones");
  for (const setting of STORE_SETTINGS) command.addOption(settingOption(setting));
  return command;
}

async function list(name: string | undefined, flags: DataFlags, terminal: Terminal): Promise<void> {
  const { listData } = await import("../app-data.ts");
  const all = await listData(storeOf(flags, terminal), name === undefined ? undefined : namespaceOf(name, flags));
  const sizes = flags.shared === true ? all.filter(({ namespace }) => namespace.kind === "shared") : all;
  if (flags.json === true) {
    const rows = sizes.map(({ namespace, ...size }) => ({ kind: namespace.kind, name: nameOf(namespace), ...size }));
    await write(terminal.stdout, `${JSON.stringify(rows)}\n`);
    return;
  }
  for (const size of sizes) await write(terminal.stdout, `${describe(size)}\n`);
  if (sizes.length === 0) await write(terminal.stderr, "no data is stored there\n");
}

async function exportAll(name: string, flags: DataFlags, terminal: Terminal): Promise<void> {
  const { exportData } = await import("../app-data.ts");
  const { keys, bytes } = await exportData(storeOf(flags, terminal), namespaceOf(name, flags), (line) =>
    write(terminal.stdout, line),
  );
  await write(terminal.stderr, `${keys} keys exported, ${bytes} bytes of values\n`);
}

async function importAll(name: string, file: string, flags: DataFlags, terminal: Terminal): Promise<void> {
  const { importData } = await import("../app-data.ts");
  const [store, namespace] = [storeOf(flags, terminal), namespaceOf(name, flags)];
  await using input = file === "-" ? undefined : await openExport(file);
  const { keys, bytes } = await importData(store, namespace, input?.lines ?? terminal.stdin);
  await write(terminal.stderr, `${keys} keys imported, ${bytes} bytes of values\n`);
}

/** Opened before anything else: a file that cannot be read changes nothing. */
async function openExport(text: string): Promise<{ readonly lines: AsyncIterable<unknown> } & AsyncDisposable> {
  const path = parsePath({ text, source: "the export" });
  const unreadable = (error: unknown): HostError => {
    const why = error instanceof Error ? error.message : String(error);
    return new HostError("usage-invalid", `${text} cannot be read: ${why}`, { cause: error });
  };
  const file = await open(path, "r").catch((error: unknown) => {
    throw unreadable(error);
  });
  return { lines: chunksOf(file, unreadable), [Symbol.asyncDispose]: () => file.close() };
}

async function* chunksOf(file: FileHandle, unreadable: (error: unknown) => HostError): AsyncIterable<unknown> {
  const chunks = file.createReadStream({ autoClose: false })[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await chunks.next().catch((error: unknown) => {
      throw unreadable(error);
    });
    if (chunk.done === true) return;
    yield chunk.value;
  }
}

async function deleteAll(name: string, flags: DataFlags, terminal: Terminal): Promise<void> {
  const { deleteData, listData } = await import("../app-data.ts");
  const store = storeOf(flags, terminal);
  const namespace = namespaceOf(name, flags);
  if (flags.yes !== true) {
    for (const size of await listData(store, namespace)) await write(terminal.stderr, `${describe(size)}\n`);
    throw new HostError(
      "usage-invalid",
      "nothing was removed; with --yes, the command permanently removes what is listed",
    );
  }
  await write(terminal.stderr, `${await deleteData(store, namespace)} keys removed\n`);
}

function storeOf(flags: DataFlags, { env }: Terminal): ReturnType<typeof parseStoreOptions> {
  return parseStoreOptions(flags as Flags, env);
}

function namespaceOf(name: string, { shared }: DataFlags): Namespace {
  if (shared === true && isBucketName(name)) return { kind: "shared", name };
  if (shared !== true && isPluginName(name)) return { kind: "private", plugin: name };
  const what = shared === true ? "shared bucket" : "plugin";
  throw new HostError("usage-invalid", `the argument${quoted(name)} is not a name of a ${what}`);
}

function nameOf(namespace: Namespace): string {
  return namespace.kind === "private" ? namespace.plugin : namespace.name;
}

function describe({ namespace, bucket, keys, bytes }: BucketSize): string {
  const where = namespace.kind === "private" ? `${namespace.plugin} ${bucket}` : `(shared) ${bucket}`;
  return `${printableText(where)}  ${keys} keys  ${bytes} bytes`;
}
