/**
 * The walls that the operating system may put around a child process, by name, and the command line that puts them up.
 * Every tool used changes its own process and then executes the program in place. So the program keeps the process id
 * and the inherited socket, and a kill reaches it.
 *
 * @module
 */

/** Walls that a command line puts up, in the order in which it does. */
export const COMMAND_WALLS = [
  /** No core files, no written files, few descriptors, and a bound on what may be allocated. */
  "resource-limits",
  /** A network namespace with nothing in it. */
  "no-network",
  /** A user other than the host's, where the host is root. */
  "unprivileged-user",
  /** No capabilities, and no way to regain one. */
  "no-capabilities",
  /** No program that it executes can have more rights than itself. */
  "no-new-privileges",
  /** The kernel kills it when the host ends, even while it computes. */
  "parent-death",
] as const;

/** Walls that the host puts up itself once the process has started. */
export const HOST_WALLS = [
  /** When memory runs out, the kernel kills it before any other process. */
  "oom-priority",
  /** The host watches its memory while it is busy, and kills it above its limit. */
  "memory-watch",
] as const;

export type CommandWall = (typeof COMMAND_WALLS)[number];

export type Wall = CommandWall | (typeof HOST_WALLS)[number];

/** A user and a group by number. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user that owns nothing, as Linux knows it. */
export const NOBODY: ProcessUser = { uid: 65_534, gid: 65_534 };

/** Absolute paths of the util-linux tools that were found. */
export interface WallTools {
  readonly prlimit?: string;
  readonly unshare?: string;
  readonly setpriv?: string;
}

export interface WallOptions {
  readonly tools: WallTools;
  /** Whose rights the program gets, for `unprivileged-user`. */
  readonly user: ProcessUser;
  /** Is the host root? If not, a network namespace needs a user namespace. */
  readonly isRoot: boolean;
}

/** Bounds of one process. */
export interface ProcessBounds {
  /** Private memory that it may allocate, used or not. */
  readonly maxDataBytes: number;
}

/** A program opens many modules at once while it starts; afterwards it needs a dozen. */
const MAX_DESCRIPTORS = 256;

/** The tool that a wall needs. */
export function toolOf(wall: CommandWall): keyof WallTools {
  if (wall === "resource-limits") return "prlimit";
  return wall === "no-network" ? "unshare" : "setpriv";
}

/** The beginning of a command line, which puts up the walls around the program that follows it. */
export function wallPrefix(walls: ReadonlySet<Wall>, options: WallOptions, bounds: ProcessBounds): string[] {
  const { tools } = options;
  return [
    ...(walls.has("resource-limits") ? [tools.prlimit ?? "prlimit", ...limitFlags(bounds), "--"] : []),
    ...(walls.has("no-network") ? [tools.unshare ?? "unshare", ...namespaceFlags(options), "--"] : []),
    // Last: a change of user or namespace would cancel the signal at the parent's death.
    ...command(tools.setpriv ?? "setpriv", privilegeFlags(walls, options)),
  ];
}

function command(tool: string, flags: readonly string[]): readonly string[] {
  return flags.length === 0 ? [] : [tool, ...flags, "--"];
}

function limitFlags({ maxDataBytes }: ProcessBounds): readonly string[] {
  const limits = { core: 0, fsize: 0, nofile: MAX_DESCRIPTORS, data: maxDataBytes };
  return Object.entries(limits).map(([name, value]) => `--${name}=${value}:${value}`);
}

function namespaceFlags({ isRoot }: WallOptions): readonly string[] {
  return [...(isRoot ? [] : ["--user", "--map-current-user"]), "--net", "--ipc"];
}

function privilegeFlags(walls: ReadonlySet<Wall>, { user }: WallOptions): readonly string[] {
  return [
    ...(walls.has("unprivileged-user") ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"] : []),
    ...(walls.has("no-capabilities") ? ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"] : []),
    ...(walls.has("no-new-privileges") ? ["--no-new-privs"] : []),
    ...(walls.has("parent-death") ? ["--pdeathsig=KILL"] : []),
  ];
}
