/**
 * Decides how child processes are sandboxed on this machine: once, when a replica starts, by trying each wall. A wall
 * that is not available (no such tool, no right to use it, another operating system) is left out and named. It is never
 * an error: the walls of Node and V8 and the broker's checks always apply.
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

/** Only root installs tools in these folders; the host's PATH may lead anywhere. */
const TOOL_FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** A trial runs `node --version` behind the walls, which takes some ten milliseconds. */
const TRIAL_TIMEOUT_MS = 10_000;

const TRIAL_BOUNDS: ProcessBounds = { maxDataBytes: 2 ** 31 };

export interface ConfinementOptions {
  /** `none`: no wall is put up by a command line. */
  readonly sandbox: "auto" | "none";
  /** Whose rights runners get where the host is root. */
  readonly runnerUser: ProcessUser;
  /** The artifact cache, which runners must reach. It exists already. */
  readonly cacheDir: string;
}

/** A wall that is not in place, and why. */
export interface MissingWall {
  readonly wall: Wall;
  readonly reason: string;
}

/** The walls in place on this machine, and the command lines that put them up. */
export class Confinement {
  readonly missing: readonly MissingWall[];
  readonly #walls: ReadonlySet<Wall>;
  readonly #options: WallOptions;

  constructor(walls: ReadonlySet<Wall>, missing: readonly MissingWall[], options: WallOptions) {
    this.#walls = walls;
    this.missing = missing;
    this.#options = options;
  }

  /** The walls in place, in the order of their lists. */
  get walls(): readonly Wall[] {
    return [...COMMAND_WALLS, ...HOST_WALLS].filter((wall) => this.#walls.has(wall));
  }

  has(wall: Wall): boolean {
    return this.#walls.has(wall);
  }

  /** The command line that runs a program within the walls. The program keeps the process id that `spawn` reports. */
  command(program: string, args: readonly string[], bounds: ProcessBounds): { file: string; args: string[] } {
    const [file = program, ...rest] = [...wallPrefix(this.#walls, this.#options, bounds), program, ...args];
    return { file, args: rest };
  }

  /** Lets the runners' user read an artifact's folder. Does nothing where runners have the host's user. */
  async openFolder(folder: string): Promise<void> {
    if (!this.#walls.has("unprivileged-user")) return;
    // A read-only cache may be open already. If it is not, the runner's start fails and says so.
    await openToStrangers(folder).catch(() => undefined);
  }
}

const NO_OPTIONS: WallOptions = { tools: {}, user: NOBODY, isRoot: false };

/** Only the walls of Node and V8: for short runs of the command line itself, and where no confinement is passed. */
export const UNCONFINED: Confinement = new Confinement(new Set(), [], NO_OPTIONS);

/** Finds out which walls this machine can put up. Takes a tenth of a second or less; never rejects. */
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
      // The next folder may have it.
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
  // A user other than root loses its capabilities when it executes a program.
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

/** The host owns the cache and may open it to runners; it does not own the folders above. */
async function cacheObjection(cacheDir: string, { uid }: ProcessUser): Promise<string | undefined> {
  const part = await unreachablePart(cacheDir, { except: cacheDir });
  return part === undefined ? undefined : `user ${uid} may not enter ${part}: put the cache elsewhere`;
}

/** Tries all of them at once, which usually works; where that fails, one after the other. */
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
