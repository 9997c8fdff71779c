/**
 * `network-host serve`: runs a replica until a signal ends it.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import type { ServeOptions, StoreOptions } from "../app-options.ts";
import { HostError } from "../errors/host-error.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { defaultStorePath, parseServeOptions, PLUGIN_OPTION, SERVE_SETTINGS } from "./serve-options.ts";
import { type Flags, settingOption } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
Each flag also has an environment variable; the flag wins. Put secrets in variables or files: other users of the
machine can see flags. NATS_PASSWORD, NATS_TOKEN and NATS_NKEY_SEED have no flags. They and both URLs may come
from files: append _FILE to the variable's name and give the path.

The first SIGTERM, SIGINT, SIGQUIT or SIGUSR2 drains: accepted requests are answered, then the process ends with 0,
or with 3 when the consumer file's drain time was not enough. A second one ends it at once. SIGHUP reads consumer file,
policies and components again; where the terminal that the replica was started on has gone, it drains.

With --plugin there is no consumer file, and no policy folder either where the default one does not exist: then plugins
that request nothing are served, and all others are denied.

Examples:
  $ network-host serve --plugin echo=echo.wasm             one component, without files
  $ network-host serve                                     NATS on this machine, values in an SQLite file
  $ NATS_URL=nats://a:4222,nats://b:4222 MONGODB_URL=mongodb://db/app network-host serve --health-port 8080
  $ network-host serve --consumer consumers/payments.yaml --policy /etc/network-host/policy`;

/** A running replica, as the composition root returns it. */
export interface ServedApp {
  /** Resolves when the replica takes requests; rejects when it never will. */
  readonly ready: Promise<void>;
  /** Rejects when a ready replica cannot continue. Never resolves. */
  readonly failed: Promise<never>;
  drain(reason: string): Promise<"clean" | "forced">;
  /** Reads the files again, whatever their times say. */
  reload(reason: string): void;
}

/** What `serve` depends on; tests replace it. */
export interface ServeCommandOptions {
  startApp(options: ServeOptions): Promise<ServedApp>;
  readonly signals: SignalSource;
  /** Was the process started on a terminal that has gone? */
  isTerminalGone(): boolean;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
}

/** Where signals come from: the process. */
export interface SignalSource {
  on(signal: HeededSignal, listener: (signal: HeededSignal) => void): unknown;
  off(signal: HeededSignal, listener: (signal: HeededSignal) => void): unknown;
}

export type HeededSignal = "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGUSR2" | "SIGHUP";

/**
 * Conventional exit codes of a process that a signal ended: 128 and the signal's number. That of SIGUSR2 is 12 on Linux and
 * 31 elsewhere; a second one is rare enough for the former.
 */
const SIGNAL_EXIT: Readonly<Record<HeededSignal, ExitCode>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGUSR2: 140,
  SIGTERM: 143,
};

const HANDLED = Object.keys(SIGNAL_EXIT) as readonly HeededSignal[];

/** The command. `done` takes its exit code. */
export function createServeCommand(
  terminal: Terminal,
  parts: ServeCommandOptions,
  done: (code: ExitCode) => void,
): Command {
  const command = new Command("serve")
    .summary("run a replica: take requests and answer them")
    .description("Runs a replica of a consumer group: takes requests from NATS and answers them with its plugins.")
    .addHelpText("after", HELP)
    .addOption(PLUGIN_OPTION);
  for (const setting of SERVE_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (flags: Flags) => {
    const options = parseServeOptions(flags, terminal);
    await makeDefaultFolder(options.store, defaultStorePath(terminal.env));
    done(await serve(options, parts));
  });
}

/** A folder that the operator named must exist, so that a typing mistake does not start an empty store; the default folder is created. */
async function makeDefaultFolder(store: StoreOptions, defaultPath: string): Promise<void> {
  if (store.kind !== "sqlite" || store.path !== defaultPath) return;
  try {
    await mkdir(dirname(defaultPath), { recursive: true, mode: 0o700 });
  } catch (error) {
    const message = `the folder of ${defaultPath} cannot be created: name a store with --sqlite or --store`;
    throw new HostError("usage-invalid", message, { cause: error });
  }
}

/** Runs a replica until a signal, or until it cannot continue. Rejects with what stopped it. */
async function serve(options: ServeOptions, parts: ServeCommandOptions): Promise<ExitCode> {
  using signals = new ReplicaSignals(parts);
  const app = await parts.startApp(options);
  try {
    signals.follow(app);
    const signal = await Promise.race([signals.first, app.ready.then(() => app.failed), app.failed]);
    return (await app.drain(signal)) === "clean" ? EXIT.ok : exitCodeOf("drain-timeout");
  } catch (error) {
    await app.drain("it cannot continue");
    throw error;
  }
}

/** The first signal to stop settles a promise; the second one ends the process. A signal to read the files again may come at any time. */
class ReplicaSignals implements Disposable {
  readonly #parts: ServeCommandOptions;
  readonly #first = Promise.withResolvers<HeededSignal>();
  #state: "waiting" | "ending" = "waiting";
  #app: ServedApp | undefined;
  /** The files must be read again as soon as there is a replica. */
  #isReloadDue = false;

  constructor(parts: ServeCommandOptions) {
    this.#parts = parts;
    for (const signal of HANDLED) parts.signals.on(signal, this.#receive);
  }

  get first(): Promise<HeededSignal> {
    return this.#first.promise;
  }

  /** There is a replica now: reloads go to it, including one requested meanwhile. */
  follow(app: ServedApp): void {
    this.#app = app;
    if (this.#isReloadDue) app.reload("SIGHUP");
  }

  [Symbol.dispose](): void {
    for (const signal of HANDLED) this.#parts.signals.off(signal, this.#receive);
  }

  readonly #receive = (signal: HeededSignal): void => {
    if (signal === "SIGHUP" && !this.#parts.isTerminalGone()) {
      if (this.#app === undefined) this.#isReloadDue = true;
      else this.#app.reload(signal);
    } else if (this.#state === "ending") {
      this.#parts.exit(SIGNAL_EXIT[signal]);
    } else {
      this.#state = "ending";
      this.#first.resolve(signal);
    }
  };
}
