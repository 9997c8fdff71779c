/**
 * What stands before every npm script: it runs on the Node that a machine happens to have (18 or later), installs the
 * locked dependencies if they are not there, and goes on under Node 26, which is one of them.
 *
 * No package is imported here: there may be none yet.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { NODE_26 } from "./brought-node.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HAS_NODE_26 = Number.parseInt(process.versions.node, 10) >= 26;
/** Signals that ask for an end. */
const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/**
 * Runs a TypeScript program of `scripts/` with this process's arguments, in this process when its Node is new enough.
 *
 * @param {string} program path below `scripts/`
 * @param {string} [failure] what the last line is where the program cannot be run
 */
export async function runProgram(program, failure) {
  process.chdir(ROOT);
  endWithNpm();
  if (!isInstalled() && !(await install())) {
    console.error("The dependencies could not be installed: run `npm ci` and look at its output.");
    if (failure !== undefined) console.log(failure);
    process.exit(1);
  }
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url));
  if (HAS_NODE_26) {
    await import(pathToFileURL(path).href);
  } else {
    process.exitCode = await runToEnd(NODE_26, [path, ...process.argv.slice(2)]);
  }
}

/** A signal that ends npm does not reach what npm's shell has started: it would serve on, and nobody would know. */
function endWithNpm() {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  watch.unref();
}

/**
 * Does node_modules hold what package-lock.json says? npm keeps a copy of the lock of what it installed.
 *
 * @returns {boolean}
 */
function isInstalled() {
  if (!HAS_NODE_26 && !existsSync(NODE_26)) return false;
  let wanted, present;
  try {
    wanted = JSON.parse(readFileSync(`${ROOT}package-lock.json`, "utf8")).packages;
    present = JSON.parse(readFileSync(`${ROOT}node_modules/.package-lock.json`, "utf8")).packages;
  } catch {
    return false;
  }
  return Object.entries(wanted).every(([path, locked]) => {
    if (path === "") return true;
    const installed = present[path];
    // Packages for other platforms are optional and left out.
    return installed === undefined ? locked.optional === true : installed.version === locked.version;
  });
}

/**
 * Are they there now?
 *
 * @returns {Promise<boolean>}
 */
async function install() {
  console.log("Installing the dependencies (npm ci) …");
  const npm = process.env["npm_execpath"];
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm, "ci"]] : ["npm", ["ci"]];
  const code = await runToEnd(command, [...args, "--no-audit", "--no-fund"], INSTALL_TIMEOUT_MS);
  return code === 0 && isInstalled();
}

/**
 * Runs a command to its end and passes on the signals that ask this process to end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} [timeoutMs] none: as long as it takes
 * @returns {Promise<number>} its exit code, or as shells put it 128 plus the signal's number
 */
function runToEnd(command, args, timeoutMs) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", timeout: timeoutMs });
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    const finish = (/** @type {number} */ code) => {
      for (const signal of FORWARDED) process.off(signal, forward);
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      finish(1);
    });
    child.once("exit", (code, signal) => finish(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
