/**
 * How child processes are sandboxed on this machine: decided once, when a replica starts, by trying it. A
 * wall that is not available (no such tool, no right to use it, another operating system) is left out and named,
 * never an error: the walls of Node and V8 and the broker's checks are in any case.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import process from "node:process";
import { CAPABILITY, holdsCapability } from "./capabilities.ts";
import { CODE_ROOT, dependencyRoots } from "./child-program.ts";
import { openToStrangers, unreachablePart } from "./folder-access.ts";
import {
  COMMAND_WALLS,
  type CommandWall,
  HOST_WALLS,
  NOBODY,
  type ProcessBounds,
  type ProcessUser,
  toolOf,
  type Wall,
  wallPrefix,
  type WallOptions,
  type WallTools,
} from "./wall.ts";

/** Tools are taken from where only root installs them, not from wherever the host's PATH leads. */
const TOOL_FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** A trial of a command line executes Node to print its version: some ten milliseconds. */
const TRIAL_TIMEOUT_MS = 10_000;

const TRIAL_BOUNDS: ProcessBounds = { maxDataBytes: 2 ** 31 };

/** What decides the walls. */
export interface ConfinementOptions {
  /** `none` puts up no wall by command line. */
  readonly sandbox: "auto" | "none";
  /** Whose rights runners get where the host is root. */
  readonly runnerUser: ProcessUser;
  /** The artifact cache, which runners must reach. It is there already. */
  readonly cacheDir: string;
}

/** A wall that does not stand, and why. */
export interface MissingWall {
  readonly wall: Wall;
  readonly reason: string;
}

/** The walls that stand on this machine, and the command lines that put them up. */
export class Confinement {
  readonly missing: readonly MissingWall[];
  readonly #walls: ReadonlySet<Wall>;
  readonly #options: WallOptions;

  constructor(walls: ReadonlySet<Wall>, missing: readonly MissingWall[], options: WallOptions) {
    this.#walls = walls;
    this.missing = missing;
    this.#options = options;
  }

  /** Walls that stand, in the order of their list. */
  get walls(): readonly Wall[] {
    return [...COMMAND_WALLS, ...HOST_WALLS].filter((wall) => this.#walls.has(wall));
  }

  has(wall: Wall): boolean {
    return this.#walls.has(wall);
  }

  /** The command line that runs a program within the walls. Its process is the program's own. */
  command(program: string, args: readonly string[], bounds: ProcessBounds): { file: string; args: string[] } {
    const [file = program, ...rest] = [...wallPrefix(this.#walls, this.#options, bounds), program, ...args];
    return { file, args: rest };
  }

  /** Lets the user that runners have read an artifact's folder. Does nothing where that is the host's own. */
  async openFolder(folder: string): Promise<void> {
    if (!this.#walls.has("unprivileged-user")) return;
    // A cache that cannot be changed may be open already. If it is not, the start fails and says so.
    await openToStrangers(folder).catch(() => undefined);
  }
}

const NO_OPTIONS: WallOptions = { tools: {}, user: NOBODY, isRoot: false };

/** No walls but those of Node and V8: for the command line's own short runs, and where nothing was decided. */
export const UNCONFINED: Confinement = new Confinement(new Set(), [], NO_OPTIONS);

/** Tries which walls stand. Takes a tenth of a second or less; never rejects. */
export async function decideConfinement(options: ConfinementOptions): Promise<Confinement> {
  const missing: MissingWall[] = [];
  const standing = new Set<Wall>();
  for (const wall of HOST_WALLS) {
    if (process.platform === "linux") standing.add(wall);
    else missing.push({ wall, reason: "it needs Linux" });
  }
  const wallOptions: WallOptions = {
    tools: await findTools(),
    user: options.runnerUser,
    isRoot: process.getuid?.() === 0,
  };
  const candidates: CommandWall[] = [];
  for (const wall of COMMAND_WALLS) {
    const reason = await objection(wall, options, wallOptions);
    if (reason === undefined) candidates.push(wall);
    else missing.push({ wall, reason });
  }
  const { up, down } = await tryWalls(candidates, wallOptions);
  for (const wall of up) standing.add(wall);
  for (const wall of down) missing.push({ wall, reason: "it is not permitted here" });
  return new Confinement(standing, missing, wallOptions);
}

async function findTools(): Promise<WallTools> {
  const [prlimit, unshare, setpriv] = await Promise.all(["prlimit", "unshare", "setpriv"].map(findTool));
  return {
    ...(prlimit !== undefined && { prlimit }),
    ...(unshare !== undefined && { unshare }),
    ...(setpriv !== undefined && { setpriv }),
  };
}

async function findTool(name: string): Promise<string | undefined> {
  for (const folder of TOOL_FOLDERS) {
    const path = `${folder}/${name}`;
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not there: the next folder may have it.
    }
  }
  return undefined;
}

/** Why a wall is not even tried. */
async function objection(
  wall: CommandWall,
  { sandbox, cacheDir }: ConfinementOptions,
  { tools, isRoot, user }: WallOptions,
): Promise<string | undefined> {
  if (process.platform !== "linux") return "it needs Linux";
  if (sandbox === "none") return "it is switched off";
  if (tools[toolOf(wall)] === undefined) return `there is no ${toolOf(wall)} (util-linux)`;
  // Another user loses its capabilities with the first program it executes.
  if (wall === "no-capabilities" && !isRoot) return "the host is not root and has none to drop";
  if (wall !== "unprivileged-user") return undefined;
  if (!isRoot) return "the host is not root: runners have its user";
  if (!holdsCapability(CAPABILITY.kill)) return "the host lacks CAP_KILL: it could not end a process of another user";
  for (const path of [process.execPath, CODE_ROOT, ...dependencyRoots()]) {
    const part = await unreachablePart(path);
    if (part !== undefined) return `user ${user.uid} may not enter ${part}`;
  }
  return await cacheObjection(cacheDir, user);
}

/** The cache is ours and may be opened; what lies above it is not. */
async function cacheObjection(cacheDir: string, { uid }: ProcessUser): Promise<string | undefined> {
  const part = await unreachablePart(cacheDir, { except: cacheDir });
  return part === undefined ? undefined : `user ${uid} may not enter ${part}: put the cache elsewhere`;
}

/** All of them at once, which is the usual case; where that fails, one after the other. */
async function tryWalls(
  candidates: readonly CommandWall[],
  options: WallOptions,
): Promise<{ up: readonly CommandWall[]; down: readonly CommandWall[] }> {
  if (await stands(candidates, options)) return { up: candidates, down: [] };
  const up: CommandWall[] = [];
  const down: CommandWall[] = [];
  for (const wall of candidates) {
    if (await stands([...up, wall], options)) up.push(wall);
    else down.push(wall);
  }
  return { up, down };
}

async function stands(walls: readonly CommandWall[], options: WallOptions): Promise<boolean> {
  if (walls.length === 0) return true;
  const [file = "", ...prefix] = wallPrefix(new Set(walls), options, TRIAL_BOUNDS);
  const trial = spawn(file, [...prefix, process.execPath, "--version"], {
    cwd: "/",
    env: {},
    stdio: "ignore",
    timeout: TRIAL_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return await new Promise((resolve) => {
    trial.once("error", () => resolve(false));
    trial.once("exit", (code) => resolve(code === 0));
  });
}
