import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Confinement, decideConfinement, UNCONFINED } from "../../../../src/supervisor/sandbox/confinement.ts";
import { openToStrangers, unreachablePart } from "../../../../src/supervisor/sandbox/folder-access.ts";
import { keepOutput } from "../../child-output.ts";

const NOBODY = { uid: 65_534, gid: 65_534 };
const BOUNDS = { maxDataBytes: 2 ** 31 };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "confinement-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What the kernel says of a process that runs within the walls. */
async function statusWithin(confinement: Confinement): Promise<{ status: string; limits: string; namespace: string }> {
  const script = `
    const { readFileSync, readlinkSync } = require("node:fs");
    const read = (name) => readFileSync("/proc/self/" + name, "utf8");
    console.log(JSON.stringify({ pid: process.pid, status: read("status"), limits: read("limits"), namespace: readlinkSync("/proc/self/ns/net") }));
  `;
  const { file, args } = confinement.command(process.execPath, ["-e", script], BOUNDS);
  const child = spawn(file, args, { env: {}, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  keepOutput(child.stderr);
  const output = await Array.fromAsync(child.stdout);
  if (child.exitCode === null) await once(child, "exit");
  const { pid, ...facts } = JSON.parse(Buffer.concat(output as Buffer[]).toString("utf8")) as never as {
    pid: number;
    status: string;
    limits: string;
    namespace: string;
  };
  // The tools become the program: a kill reaches it, and not something in between.
  expect(pid).toBe(child.pid);
  return facts;
}

describe("deciding the walls", () => {
  test("puts up none by command line where that is switched off, and says so", async () => {
    const confinement = await decideConfinement({ sandbox: "none", runnerUser: NOBODY, cacheDir: folder });
    expect(confinement.command("/bin/x", ["1"], BOUNDS)).toEqual({ file: "/bin/x", args: ["1"] });
    expect(confinement.missing).toContainEqual({ wall: "parent-death", reason: expect.any(String) as string });
    expect(UNCONFINED.command("/bin/x", ["1"], BOUNDS)).toEqual({ file: "/bin/x", args: ["1"] });
  });

  test("counts every wall as standing or as missing for a reason", async () => {
    const { walls, missing } = await decideConfinement({ sandbox: "auto", runnerUser: NOBODY, cacheDir: folder });
    expect([...walls, ...missing.map(({ wall }) => wall)].sort()).toEqual([
      "memory-watch",
      "no-capabilities",
      "no-network",
      "no-new-privileges",
      "oom-priority",
      "parent-death",
      "resource-limits",
      "unprivileged-user",
    ]);
    for (const { reason } of missing) expect(reason).not.toBe("");
  });

  test.runIf(process.platform === "linux")(
    "the walls that it names are the ones that the kernel knows of",
    async () => {
      const confinement = await decideConfinement({ sandbox: "auto", runnerUser: NOBODY, cacheDir: folder });
      const { status, limits, namespace } = await statusWithin(confinement);
      const expectIf = (wall: Parameters<Confinement["has"]>[0], text: string, pattern: RegExp): void => {
        if (confinement.has(wall)) expect(text, wall).toMatch(pattern);
      };
      expectIf("no-new-privileges", status, /^NoNewPrivs:\t1$/m);
      expectIf("no-capabilities", status, /^CapEff:\t0{16}$/m);
      expectIf("no-capabilities", status, /^CapBnd:\t0{16}$/m);
      expectIf("unprivileged-user", status, /^Uid:\t65534\t65534\t65534\t65534$/m);
      expectIf("unprivileged-user", status, /^Groups:\t *$/m);
      expectIf("resource-limits", limits, /^Max core file size +0 +0 /m);
      expectIf("resource-limits", limits, /^Max data size +2147483648 +2147483648 /m);
      expectIf("resource-limits", limits, /^Max open files +256 +256 /m);
      if (confinement.has("no-network")) expect(namespace).not.toBe(await readlink("/proc/self/ns/net"));
    },
  );
});

describe("what a stranger may enter", () => {
  test("is told by the first part of the path that it may not", async () => {
    const closed = join(folder, "closed");
    await mkdir(join(closed, "below"), { recursive: true });
    await chmod(folder, 0o755);
    await chmod(closed, 0o700);
    expect(await unreachablePart(folder)).toBeUndefined();
    expect(await unreachablePart(join(closed, "below"))).toBe(closed);
    expect(await unreachablePart(join(closed, "below"), { except: closed })).toBeUndefined();
  });

  test("is an artifact once it was opened, and nothing beside it", async () => {
    const artifact = join(folder, "cache", "engine", "digest");
    const neighbour = join(folder, "cache", "engine", "other");
    await mkdir(artifact, { recursive: true, mode: 0o700 });
    await mkdir(neighbour, { mode: 0o700 });
    await chmod(folder, 0o755);
    await writeFile(join(artifact, "component.js"), "", { mode: 0o600 });
    await openToStrangers(artifact);
    expect(await unreachablePart(artifact)).toBeUndefined();
    expect(await unreachablePart(neighbour)).toBe(neighbour);
    expect((await stat(join(artifact, "component.js"))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, "cache"))).mode & 0o777).toBe(0o711);
  });
});
