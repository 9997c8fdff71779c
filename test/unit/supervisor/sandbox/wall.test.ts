import { describe, expect, test } from "vitest";
import { COMMAND_WALLS, type Wall, wallPrefix, type WallOptions } from "../../../../src/supervisor/sandbox/wall.ts";

const TOOLS = { prlimit: "/bin/prlimit", unshare: "/bin/unshare", setpriv: "/bin/setpriv" };
const ROOT: WallOptions = { tools: TOOLS, user: { uid: 7, gid: 8 }, isRoot: true };
const BOUNDS = { maxDataBytes: 1_000 };

function prefix(walls: readonly Wall[], options: WallOptions = ROOT): string {
  return wallPrefix(new Set(walls), options, BOUNDS).join(" ");
}

describe("the command line of the walls", () => {
  test("is nothing where no wall stands, and where only the host's own do", () => {
    expect(prefix([])).toBe("");
    expect(prefix(["oom-priority", "memory-watch"])).toBe("");
  });

  test("puts all walls up in the order in which they may follow one another", () => {
    expect(prefix(COMMAND_WALLS)).toBe(
      "/bin/prlimit --core=0:0 --fsize=0:0 --nofile=256:256 --data=1000:1000 -- " +
        "/bin/unshare --net --ipc -- " +
        "/bin/setpriv --reuid=7 --regid=8 --clear-groups --inh-caps=-all --ambient-caps=-all --bounding-set=-all " +
        "--no-new-privs --pdeathsig=KILL --",
    );
  });

  test("asks for a namespace of users first where the host is not root", () => {
    expect(prefix(["no-network"], { ...ROOT, isRoot: false })).toBe(
      "/bin/unshare --user --map-current-user --net --ipc --",
    );
  });

  test("uses each tool only for walls that need it", () => {
    expect(prefix(["parent-death"])).toBe("/bin/setpriv --pdeathsig=KILL --");
    expect(prefix(["resource-limits", "no-new-privileges"])).toMatch(
      /^\/bin\/prlimit .* -- \/bin\/setpriv --no-new-privs --$/,
    );
  });
});
