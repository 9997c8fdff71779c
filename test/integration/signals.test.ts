/** What a replica makes of each signal. */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { exited } from "../../scripts/lib/command.ts";
import { COMPONENTS, consumerFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import type { LogRecord } from "../harness/replica-log.ts";
import { request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

let nats: NatsConnection;

beforeAll(async () => {
  nats = await connect({ servers: inject("natsUrl") });
});

afterAll(() => nats.close());

function start(plugin: string): Promise<Replica> {
  return startReplica({
    consumer: consumerFile({ group: "signals", plugins: { [plugin]: COMPONENTS.gauntlet("none") } }),
    policies: {},
  });
}

describe("a replica", () => {
  test.each(["SIGQUIT", "SIGUSR2"] as const)("answers what it accepted and ends with 0 after %s", async (signal) => {
    const plugin = uniqueName("signal");
    await using replica = await start(plugin);
    const pending = request(nats, `rpc.${plugin}.sleep`, "500");
    await nats.flush();
    await request(nats, `rpc.${plugin}.sleep`, "0");
    replica.signal(signal);
    expect((await pending).status).toBe(200);
    expect(await replica.ended).toMatchObject({ code: 0 });
    expect(replica.records.find(({ msg }) => msg === "draining")).toMatchObject({ reason: signal });
  });

  test("opens no inspector at SIGUSR1, reads its files at SIGHUP, and serves on", async () => {
    const plugin = uniqueName("signal");
    await using replica = await start(plugin);
    replica.signal("SIGUSR1");
    replica.signal("SIGHUP");
    await replica.logged(({ msg, ["reason"]: reason }) => msg === "reading the files again" && reason === "SIGHUP");
    expect((await request(nats, `rpc.${plugin}.sleep`, "0")).status).toBe(200);
    expect(replica.errorOutput).toBe("");
  });

  test("tries anew at SIGHUP what could not be loaded, though no file has changed", async () => {
    const plugin = uniqueName("signal");
    await using replica = await start(plugin);
    const broken = uniqueName("broken");
    await writeFile(join(replica.folder, "broken.wasm"), "no component");
    const plugins = { [plugin]: COMPONENTS.gauntlet("none"), [broken]: join(replica.folder, "broken.wasm") };
    await replica.writeConsumer(consumerFile({ group: "signals", plugins }));
    const isRefusal = ({ msg, ["plugin"]: name }: LogRecord): boolean =>
      name === broken && String(msg).includes("can never be loaded");
    await replica.logged(isRefusal);
    replica.signal("SIGHUP");
    await expect.poll(() => replica.records.filter(isRefusal).length, { timeout: 60_000 }).toBe(2);
    expect((await request(nats, `rpc.${plugin}.sleep`, "0")).status).toBe(200);
  });

  test("drains where the terminal that it was started on closes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "terminal-"));
    await writeFile(
      join(folder, "consumer.yaml"),
      consumerFile({ group: "signals", plugins: { [uniqueName("signal")]: COMPONENTS.gauntlet("none") } }),
    );
    await mkdir(join(folder, "policy"));
    const flags = `--nats ${inject("natsUrl")} --cache ${inject("artifactCache")} --consumer consumer.yaml --policy policy --sqlite store.sqlite`;
    // Its standard input and error are the terminal.
    const command = `exec ${process.execPath} ${MAIN} serve ${flags} > log`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: folder,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const ended = exited(terminal);
    const records = async (): Promise<LogRecord[]> =>
      (await readFile(join(folder, "log"), "utf8").catch(() => ""))
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogRecord);
    const said = (message: string) =>
      until(async () => (await records()).some(({ msg }) => msg === message), { what: message, timeoutMs: 60_000 });
    try {
      await said("ready");
    } finally {
      terminal.kill("SIGKILL");
      await ended;
    }
    await said("stopped");
    expect((await records()).find(({ msg }) => msg === "draining")).toMatchObject({ reason: "SIGHUP" });
    await rm(folder, { recursive: true });
  });
});
