/**
 * The walls around a child process that the operating system may give, by name, and the command line that
 * puts them up. Every tool used sets its own process up and then becomes the program (it executes it in place):
 * the process id, the inherited socket and a kill are the program's own.
 *
 * @module
 */

/** Walls that a command line puts up, from the one that is set up first to the last. */
export const COMMAND_WALLS = [
  /** No core files, no written files, few descriptors, and a bound on what may be allocated. */
  "resource-limits",
  /** A network namespace with nothing in it. */
  "no-network",
  /** Another user than the host's, where that one is root. */
  "unprivileged-user",
  /** None left, and no way to get any back. */
  "no-capabilities",
  /** No program that it executes can have more rights than itself. */
  "no-new-privileges",
  /** The kernel kills it when the host is gone, also while it computes. */
  "parent-death",
] as const;

/** Walls that the host puts up itself once the process is there. */
export const HOST_WALLS = [
  /** The kernel prefers it to any other process when memory runs out. */
  "oom-priority",
  /** The host looks at its memory while it works, and kills it beyond its limit. */
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

/** Absolute paths of the tools of util-linux; those that are missing have no path. */
export interface WallTools {
  readonly prlimit?: string;
  readonly unshare?: string;
  readonly setpriv?: string;
}

/** What the walls need to know. */
export interface WallOptions {
  readonly tools: WallTools;
  /** Whose rights the program gets, for `unprivileged-user`. */
  readonly user: ProcessUser;
  /** Is the host root? Else a namespace of users is needed for one of the network. */
  readonly isRoot: boolean;
}

/** Bounds of one process. */
export interface ProcessBounds {
  /** Private memory that it may allocate, used or not. */
  readonly maxDataBytes: number;
}

/** Modules are read side by side while a program starts; afterwards it needs a dozen. */
const MAX_DESCRIPTORS = 256;

/** The tool that a wall needs. */
export function toolOf(wall: CommandWall): keyof WallTools {
  if (wall === "resource-limits") return "prlimit";
  return wall === "no-network" ? "unshare" : "setpriv";
}

/** The command line's beginning that puts the walls up around whatever program follows it. */
export function wallPrefix(walls: ReadonlySet<Wall>, options: WallOptions, bounds: ProcessBounds): string[] {
  const { tools } = options;
  return [
    ...(walls.has("resource-limits") ? [tools.prlimit ?? "prlimit", ...limitFlags(bounds), "--"] : []),
    ...(walls.has("no-network") ? [tools.unshare ?? "unshare", ...namespaceFlags(options), "--"] : []),
    // Last: a change of user or of namespaces would take the signal at the parent's death back.
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
