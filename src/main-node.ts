/**
 * Goes on under the Node that the package brings, as if it had been started by that one: the same arguments, standard streams,
 * signals and exit code, and no word about it. That Node is one of the optional dependencies, by platform: packages that
 * hold the program and run no script when they are installed.
 *
 * Runs on Node 20, and imports nothing of the program.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";

const LEAST_VERSION = 26;

/** As `EXIT.usage` of the command line: the machine has to be changed. */
const EXIT_UNUSABLE = 2;

/** No inspector at SIGUSR1, also before the program has a listener for it. */
const NODE_FLAGS = ["--disable-sigusr1"] as const;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;
/** What a terminal sends to all of its processes. */
const TERMINAL_SIGNALS: ReadonlySet<string> = new Set(["SIGINT", "SIGQUIT", "SIGHUP"]);

/** Can this Node run the program? */
export function isNodeRecent(): boolean {
  return Number.parseInt(process.versions.node, 10) >= LEAST_VERSION;
}

/** Runs the program's file with this process's arguments, and ends this process as that one ends. */
export function runUnderBroughtNode(program: string): Promise<never> {
  const node = broughtNode();
  if (node === undefined) refuse(`${packageOfNode()} is not installed`);
  const child = spawn(node, [...NODE_FLAGS, program, ...process.argv.slice(2)], { stdio: "inherit" });
  const sharesTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // Twice would be a second one, which ends a replica at once.
      if (!sharesTerminal || !TERMINAL_SIGNALS.has(signal)) child.kill(signal);
    });
  }
  child.on("error", (error) => refuse(error.message));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? EXIT_UNUSABLE);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  return new Promise(() => undefined);
}

/** Where its platform's Node is, as the packages are named that hold it. */
function packageOfNode(): string {
  const isAppleSilicon = process.platform === "darwin" && process.arch === "arm64";
  return `${isAppleSilicon ? "node-bin" : "node"}-${process.platform}-${process.arch}`;
}

function broughtNode(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${packageOfNode()}/package.json`)), "bin/node");
  } catch {
    return undefined;
  }
}

function refuse(reason: string): never {
  process.stderr.write(
    `network-host needs Node ${LEAST_VERSION} or later: this is ${process.version}, and the one that it brings as an optional dependency cannot be used (${reason}); install it without --omit=optional on Linux or macOS (x64, arm64), or start it with Node ${LEAST_VERSION}\n`,
  );
  process.exit(EXIT_UNUSABLE);
}
