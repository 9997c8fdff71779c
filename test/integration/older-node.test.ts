import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { buildHost } from "../../scripts/build/host.ts";
import { type Exit, exited, isExecutable, run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { consumerFile, COMPONENTS, uniqueName } from "../harness/plugins.ts";
import { until } from "../../scripts/lib/until.ts";

/** Where the Node is that the package brings. */
const PACKAGE = `node_modules/${process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node"}-${process.platform}-${process.arch}`;

/** An older Node of this machine; else this one, which says that it is one. */
let older: readonly string[];

beforeAll(async () => {
  await buildHost();
  older = (await findOlderNode()) ?? [
    process.execPath,
    "--import",
    `data:text/javascript,${encodeURIComponent(`Object.defineProperty(process.versions, "node", { value: "20.0.0" })`)}`,
  ];
});

async function findOlderNode(): Promise<readonly string[] | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    const path = join(folder, "node");
    if (!(await isExecutable(path))) continue;
    const version = Number.parseInt(
      (await run(path, ["-p", "process.versions.node"], { timeoutMs: 30_000 })).trim(),
      10,
    );
    if (version >= 20 && version < 26) return [path];
  }
  return undefined;
}

/** Starts the built program, of this project unless another one is named. */
function start(args: readonly string[], { root = ROOT, cwd = ROOT } = {}) {
  const [node = "", ...flags] = older;
  const child = spawn(node, [...flags, join(root, "dist/main.js"), ...args], {
    cwd,
    env: { ...process.env, NATS_URL: inject("natsUrl"), NODE_OPTIONS: undefined },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const end = Promise.all([exited(child), text(child.stdout), text(child.stderr)]).then(
    ([exit, stdout, stderr]): Exit & { stdout: string; stderr: string } => ({ ...exit, stdout, stderr }),
  );
  return { child, end };
}

describe("on an older Node, the command", () => {
  test("goes on under the one that the package brings, without a word", async () => {
    expect(await start(["--version"]).end).toEqual({ code: 0, signal: null, stdout: "0.1.0\n", stderr: "" });
    const wrong = await start(["call", "Not A Name"]).end;
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toMatch(/^error usage-invalid: /);
  });

  test("has the same standard input", async () => {
    const { child, end } = start(["call", uniqueName("nobody"), "m", "-"]);
    child.stdin.end("a payload");
    const { code, stderr } = await end;
    expect(code).toBe(3);
    expect(stderr).toContain("error no-responders");
  });

  test("passes a signal on, so that a replica drains", async () => {
    const folder = await mkdtemp(join(tmpdir(), "older-node-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, "policy"));
    const consumer = join(folder, "consumer.yaml");
    await writeFile(
      consumer,
      consumerFile({ group: "older", plugins: { [uniqueName("p")]: COMPONENTS.gauntlet("none") } }),
    );
    const cache = inject("artifactCache");
    const args = ["serve", "--consumer", consumer, "--policy", join(folder, "policy"), "--cache", cache];
    const { child, end } = start([...args, "--sqlite", "store.sqlite"], { cwd: folder });
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    await until(() => log.includes('"msg":"ready'), { what: "the replica is ready" });
    child.kill("SIGTERM");
    const { code, stdout } = await end;
    expect([code, stdout.includes('"outcome":"clean"')]).toEqual([0, true]);
  });

  test("goes on under a Node that has never had its inspector at SIGUSR1", async () => {
    const root = await mkdtemp(join(tmpdir(), "early-signal-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await cp(join(ROOT, "dist"), join(root, "dist"), { recursive: true });
    await cp(join(ROOT, "package.json"), join(root, "package.json"));
    await mkdir(join(root, PACKAGE, "bin"), { recursive: true });
    await writeFile(join(root, PACKAGE, "package.json"), "{}");
    // The Node that is brought, which says of itself which signals it catches before it runs a line of the program.
    const saysCaught = `import { readFileSync } from "node:fs";
      console.log(/^SigCgt:.*$/m.exec(readFileSync("/proc/self/status", "utf8"))[0]); process.exit()`;
    const brought = `#!/bin/sh\nexec '${process.execPath}' --import 'data:text/javascript,${encodeURIComponent(saysCaught)}' "$@"\n`;
    await writeFile(join(root, PACKAGE, "bin/node"), brought, { mode: 0o755 });
    const { stdout } = await start(["--version"], { root }).end;
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(stdout)?.[1] ?? "is not told"}`);
    const isCaught = (signal: number): boolean => ((caught >> BigInt(signal - 1)) & 1n) === 1n;
    expect({ SIGUSR1: isCaught(constants.signals.SIGUSR1), SIGTERM: isCaught(constants.signals.SIGTERM) }).toEqual({
      SIGUSR1: false,
      SIGTERM: true,
    });
  });

  test("says in one sentence what is missing where the package brings none", async () => {
    const root = await mkdtemp(join(tmpdir(), "no-node-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await cp(join(ROOT, "dist"), join(root, "dist"), { recursive: true });
    await cp(join(ROOT, "package.json"), join(root, "package.json"));
    const missing = await start(["--version"], { root }).end;
    expect([missing.code, missing.stdout]).toEqual([2, ""]);
    expect(missing.stderr).toMatch(
      /^network-host needs Node 26 or later: this is v2\d\.[^\n]* \(node-\S+ is not installed\);[^\n]*\n$/,
    );
    // The package without its program.
    await mkdir(join(root, PACKAGE), { recursive: true });
    await writeFile(join(root, PACKAGE, "package.json"), "{}");
    const empty = await start(["--version"], { root }).end;
    expect([empty.code, empty.stdout]).toEqual([2, ""]);
    expect(empty.stderr).toMatch(/^network-host needs Node 26 or later: [^\n]*ENOENT[^\n]*\n$/);
  });
});
