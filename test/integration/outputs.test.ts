import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, projectFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

let nats: NatsConnection;
let folder: string;
beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
  folder = await mkdtemp(join(tmpdir(), "outputs-"));
});
afterAll(async () => {
  await nats.close();
  await rm(folder, { recursive: true });
});

/** A pipe that somebody holds open and never reads. */
function unreadPipe(): { readonly descriptor: number; close(): void } {
  const path = join(folder, uniqueName("pipe"));
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return {
    descriptor,
    close() {
      closeSync(descriptor);
      closeSync(reader);
    },
  };
}

/** Fills a pipe to its last byte. */
function fill(descriptor: number): void {
  for (const size of [4_096, 1]) {
    try {
      for (;;) writeSync(descriptor, "x".repeat(size));
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
    }
  }
}

interface Terminal {
  readonly descriptor: number;
  /** Reads what the terminal shows, and stands for its window. */
  readonly window: ChildProcess;
}

async function openTerminal(): Promise<Terminal> {
  const named = join(folder, uniqueName("terminal"));
  const command = `tty > ${named}.part && mv ${named}.part ${named} && sleep 600`;
  const window = spawn("script", ["-qfc", command, "/dev/null"], { stdio: ["ignore", "ignore", "ignore"] });
  const readName = () => readFile(named, "utf8").catch(() => "");
  await until(async () => (await readName()) !== "", { what: "the terminal has a name" });
  const name = (await readName()).trim();
  return { descriptor: openSync(name, constants.O_WRONLY | constants.O_NOCTTY), window };
}

async function startLoggingTo(stdout: number, plugin: string): Promise<Replica> {
  return await startReplica({
    consumer: consumerFile({ group: "outputs", plugins: { [plugin]: COMPONENTS.echo } }),
    policies: {},
    stdout,
  });
}

/** Far more records than a pipe or a terminal holds. */
async function serve(plugin: string): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const replies = Array.from({ length: 100 }, () => request(nats, `rpc.${plugin}.hello`, "x"));
    for (const { status } of await Promise.all(replies)) expect(status).toBe(200);
  }
}

async function dropped(replica: Replica, reason: string): Promise<number> {
  const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
  const line = new RegExp(`^network_host_log_records_dropped_total\\{reason="${reason}"\\} (\\d+)$`, "m");
  return Number(line.exec(metrics)?.[1]);
}

describe("a replica goes on serving and ends with 0 at SIGTERM when its log", () => {
  test("is on a disk that is full; the records are counted", async () => {
    const descriptor = openSync("/dev/full", "w");
    const plugin = uniqueName("full");
    await using replica = await startLoggingTo(descriptor, plugin);
    closeSync(descriptor);
    await serve(plugin);
    await expect.poll(() => dropped(replica, "write-failed")).toBeGreaterThan(1_000);
    expect((await replica.stop()).code).toBe(0);
  });

  test("goes to a pipe that nobody reads", async () => {
    const pipe = unreadPipe();
    const plugin = uniqueName("unread");
    await using replica = await startLoggingTo(pipe.descriptor, plugin);
    await serve(plugin);
    expect(await replica.isReady()).toBe(true);
    expect((await replica.stop()).code).toBe(0);
    pipe.close();
  });

  test("goes to a terminal that hangs, and is gone then", async () => {
    const { descriptor, window } = await openTerminal();
    const plugin = uniqueName("terminal");
    await using replica = await startLoggingTo(descriptor, plugin);
    closeSync(descriptor);
    window.kill("SIGSTOP");
    await serve(plugin);
    expect(await dropped(replica, "write-failed")).toBe(0);
    window.kill("SIGKILL");
    await once(window, "exit");
    await serve(plugin);
    await expect.poll(() => dropped(replica, "write-failed")).toBeGreaterThan(1_000);
    expect((await replica.stop()).code).toBe(0);
  });
});

describe("a command ends, and says by its code what came of it, when", () => {
  test.each<[string, string, string[], number]>([
    ["its report of an error has no reader", "bogus", ["bogus"], 2],
    ["its help has no reader", "help", ["serve", "--help"], 0],
  ])("%s", async (_, __, args, code) => {
    const pipe = unreadPipe();
    fill(pipe.descriptor);
    const child = spawn(process.execPath, [projectFile("src/main.ts"), ...args], {
      stdio: ["ignore", pipe.descriptor, pipe.descriptor],
    });
    expect(await once(child, "exit")).toEqual([code, null]);
    pipe.close();
  });

  test.each([
    ["its output and its errors are on a full disk", ["check", "--json"], 1],
    ["its help is", ["--help"], 1],
    ["its version is", ["--version"], 1],
    ["its report of an error is", ["bogus"], 2],
  ])("%s", async (_, args, code) => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [projectFile("src/main.ts"), ...args], { stdio: ["ignore", full, full] });
    closeSync(full);
    expect(await once(child, "exit")).toEqual([code, null]);
  });

  test("its output alone is on a full disk: it names the error", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [projectFile("src/main.ts"), "check", "--json"], {
      cwd: projectFile("."),
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    if (child.stderr === null) throw new Error("standard error is not piped");
    const [said, ended] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect(ended).toEqual([1, null]);
    expect(said).toMatch(/^error output-failed: .*ENOSPC.*\n$/);
  });
});
