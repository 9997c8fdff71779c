import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import { askReplica } from "../../../src/control/client.ts";
import type { ControlVerb } from "../../../src/control/protocol.ts";
import type { ReloadReport, ReplicaIdentity } from "../../../src/control/report.ts";
import { type ControlServerOptions, startControlServer } from "../../../src/control/server.ts";
import { defaultSocketFolder, listSockets, makeSocketFolder, socketPath } from "../../../src/control/socket-folder.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { compilerArguments } from "../../../src/supervisor/compilation/compile-flags.ts";
import { runnerArguments } from "../../../src/supervisor/process/runner-flags.ts";

const IDENTITY: ReplicaIdentity = {
  id: "r1",
  group: "g",
  pid: 7,
  version: "1.2.3",
  started: "2026-01-01T00:00:00.000Z",
};
const PID = 4711;

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "control-"));
  folder = join(parent, "sockets");
});

afterEach(() => rm(parent, { recursive: true }));

interface Fake {
  readonly pid?: number;
  readonly reload?: ControlServerOptions["handlers"]["reload"];
  readonly failed?: (error: unknown) => void;
  readonly times?: ControlServerOptions["times"];
}

function start({ pid = PID, reload, failed, times }: Fake = {}) {
  return startControlServer({
    folder,
    pid,
    handlers: {
      identify: () => IDENTITY,
      status: () => Promise.reject(new TypeError("at mongodb://user:Zq7@db/x")),
      reload: reload ?? (() => Promise.reject(new HostError("draining", "it stops"))),
    },
    failed: failed ?? (() => undefined),
    ...(times !== undefined && { times }),
  });
}

function ask<Verb extends ControlVerb>(verb: Verb, timeoutMs = 60_000, pid = PID) {
  return askReplica({ pid, path: socketPath(folder, pid) }, verb, timeoutMs);
}

/** What a connection gets that sends this, and how it looks. */
async function exchange(sent: string, pid = PID): Promise<unknown> {
  const socket = connect(socketPath(folder, pid));
  socket.write(sent);
  return JSON.parse(await text(socket));
}

describe("a control socket", () => {
  test("answers one request, in one line with its version", async () => {
    await using _server = await start();
    expect(await exchange('{"version":1,"verb":"identify","timeoutMs":1000}\n')).toEqual({
      version: 1,
      answer: IDENTITY,
    });
    expect(await ask("identify")).toEqual(IDENTITY);
  });

  test("is its user's alone, in a folder that is", async () => {
    await using server = await start();
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe("700");
    expect(((await stat(server.path)).mode & 0o777).toString(8)).toBe("600");
  });

  test("is out of sight of other users, as plugins' processes have where the host is root", async () => {
    // What lies above it lets everybody through.
    await chmod(parent, 0o711);
    await using server = await start();
    const sees = (as: { uid?: number; gid?: number }): Promise<boolean> =>
      promisify(execFile)("/bin/sh", ["-c", 'test -S "$0"', server.path], as).then(
        () => true,
        () => false,
      );
    expect(await sees({})).toBe(true);
    // Nobody else may become another user.
    if (process.getuid?.() === 0) expect(await sees({ uid: 65_534, gid: 65_534 })).toBe(false);
  });

  test("is gone when its replica has ended, and nobody else's is", async () => {
    await using _other = await start({ pid: 5 });
    await (await start())[Symbol.asyncDispose]();
    expect(await listSockets(folder)).toEqual([{ pid: 5, path: socketPath(folder, 5) }]);
    expect(await readdir(folder)).toEqual(["5.sock"]);
  });

  test.each([
    ["", "the request has no end"],
    ['{"version":1,"verb":"identify","timeoutMs":1000}', "the request has no end"],
    ["nonsense\n", "the request is not a JSON object"],
    ["[]\n", "the request is not a JSON object"],
    ['{"version":2,"verb":"identify","timeoutMs":1000}\n', "takes version 1 of the control protocol, not 2"],
    ['{"version":1,"verb":"drain","timeoutMs":1000}\n', "does not know this request"],
    ['{"version":1,"verb":"toString","timeoutMs":1000}\n', "does not know this request"],
    ['{"version":1,"verb":"reload"}\n', "timeoutMs is a number"],
    ['{"version":1,"verb":"reload","timeoutMs":1e9}\n', "timeoutMs is a number"],
    ["x".repeat(5_000), "the request has more than 4096 bytes"],
    [`${"x".repeat(5_000)}\n`, "the request has more than 4096 bytes"],
  ])("refuses the request %j", async (request, message) => {
    await using _server = await start();
    const socket = connect(socketPath(folder, PID));
    socket.end(request);
    const { error } = JSON.parse(await text(socket)) as { error: { code: string; message: string } };
    expect(error).toMatchObject({ code: "usage-invalid", message: expect.stringContaining(message) as string });
  });

  test("waits only so long for a request and for its answer's reader", async () => {
    await using _server = await start({ times: { requestMs: 20, readMs: 20 } });
    const silent = connect(socketPath(folder, PID));
    expect(await text(silent)).toContain("did not come in time");
    // Never ends its side: the other one ends the connection.
    const stubborn = connect({ path: socketPath(folder, PID), allowHalfOpen: true });
    stubborn.resume();
    stubborn.on("error", () => undefined);
    await once(stubborn, "end");
    await expect
      .poll(() => {
        stubborn.write("x");
        return stubborn.destroyed;
      })
      .toBe(true);
  });

  test("answers with a code what cannot be done in its time, and what goes wrong without a secret", async () => {
    const failures: unknown[] = [];
    await using _server = await start({
      reload: () => new Promise<ReloadReport>(() => undefined),
      failed: (error) => failures.push(error),
    });
    await expect(ask("reload", 20)).rejects.toMatchObject({ code: "control-timeout" });
    expect(failures).toEqual([]);
    await expect(ask("status")).rejects.toMatchObject({ code: "internal", message: "at mongodb://***@db/x" });
    expect(failures).toHaveLength(1);
  });

  test("answers so many requests at a time and says of further ones that they are too many", async () => {
    const { promise, resolve } = Promise.withResolvers<ReloadReport>();
    const begun: number[] = [];
    await using _server = await start({
      reload: (timeoutMs) => {
        begun.push(timeoutMs);
        return promise;
      },
    });
    const asked = Array.from({ length: 8 }, () => ask("reload"));
    await expect.poll(() => begun.length).toBe(8);
    await expect(ask("reload")).rejects.toMatchObject({ code: "overloaded" });
    resolve({ inForce: true } as ReloadReport);
    for (const one of asked) expect(await one).toEqual({ inForce: true });
    expect(await ask("identify")).toEqual(IDENTITY);
  });

  test("tells who waits that the replica has ended, and sends what is on its way", async () => {
    const large = { inForce: true, added: Array.from({ length: 200_000 }, (_, index) => `plugin-${index}`) };
    const begun: string[] = [];
    const server = await start({
      reload: (timeoutMs) => {
        begun.push("reload");
        return timeoutMs === 1_000
          ? Promise.resolve(large as unknown as ReloadReport)
          : new Promise<ReloadReport>(() => undefined);
      },
    });
    const waiting = ask("reload");
    waiting.catch(() => undefined);
    const reading = ask("reload", 1_000);
    await expect.poll(() => begun.length).toBe(2);
    await server[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ code: "draining" });
    expect((await reading)?.added).toHaveLength(200_000);
    expect(await ask("identify")).toBeUndefined();
  });
});

describe("the folder of control sockets", () => {
  test("is a user's own unless told otherwise", () => {
    expect(defaultSocketFolder()).toBe(`/tmp/network-host-${process.geteuid?.()}`);
  });

  test("is refused where others may write to it or in, where it is not a folder, and where its name is too long", async () => {
    await mkdir(folder);
    await chmod(folder, 0o755);
    await expect(start()).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringContaining("chmod 700") as string,
    });
    await expect(listSockets(folder)).rejects.toMatchObject({ code: "usage-invalid" });
    await symlink(parent, join(parent, "link"));
    await expect(makeSocketFolder(join(parent, "link"))).rejects.toThrow("is not a folder");
    await writeFile(join(parent, "file"), "");
    await expect(makeSocketFolder(join(parent, "file"))).rejects.toThrow("is not a folder");
    await expect(makeSocketFolder(join(parent, "x".repeat(90)))).rejects.toThrow("is too long");
    await expect(makeSocketFolder(join(parent, "missing", "sockets"))).rejects.toThrow("cannot be made");
  });

  test("loses the sockets of replicas that were killed when one starts, and keeps what is none of them", async () => {
    await mkdir(folder, { mode: 0o700 });
    await leaveSocket(socketPath(folder, 1), 60);
    await leaveSocket(socketPath(folder, PID), 0);
    // One that may be about to be listened on.
    await leaveSocket(socketPath(folder, 2), 0);
    await writeFile(join(folder, "3.sock"), "not a socket");
    await writeFile(join(folder, "notes"), "");
    expect(await ask("identify", 1_000, 1)).toBeUndefined();
    await using _server = await start();
    expect((await readdir(folder)).sort()).toEqual(["2.sock", "3.sock", `${PID}.sock`, "notes"]);
    expect(await ask("identify")).toEqual(IDENTITY);
  });

  test("has one replica for each process id: a second one is told to take a folder of its own", async () => {
    await using _server = await start();
    await expect(start()).rejects.toThrow("another process listens on");
    expect(await ask("identify")).toEqual(IDENTITY);
  });

  /** A socket as a process leaves it behind that is killed. */
  async function leaveSocket(path: string, ageS: number): Promise<void> {
    const code = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await promisify(execFile)(process.execPath, ["-e", code]).catch(() => undefined);
    const made = Date.now() / 1_000 - ageS;
    await utimes(path, made, made);
  }
});

describe("whoever asks a replica", () => {
  let impostor: Server | undefined;

  afterEach(() => impostor?.close());

  async function answerWith(reply: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 });
    impostor = createServer((socket) => {
      socket.on("error", () => undefined);
      if (reply === "nothing") socket.destroy();
      else socket.end(reply);
    }).listen(socketPath(folder, PID));
    await once(impostor, "listening");
  }

  test.each([
    ["nothing", "replica-unreachable"],
    ["", "replica-unreachable"],
    ["{}", "replica-unreachable"],
    ["hello\n", "bad-reply"],
    ["{}\n", "bad-reply"],
    ['{"version":2,"answer":{}}\n', "bad-reply"],
    ['{"version":1,"answer":7}\n', "bad-reply"],
    ['{"version":9,"error":{"code":"usage-invalid","message":"use another"}}\n', "usage-invalid"],
    ['{"version":1,"error":{"code":"toString","message":"x"}}\n', "bad-reply"],
  ])("takes %j for %s", async (reply, code) => {
    await answerWith(reply);
    await expect(ask("identify")).rejects.toMatchObject({ code });
  });
});

describe("the processes that run what plugins bring", () => {
  const CONNECT = `require("node:net").connect(process.argv[1]).on("connect", () => { console.log("connected"); process.exit(); }).on("error", (error) => console.log(error.code))`;
  const flagsOf = (args: readonly string[]): string[] => args.slice(0, args.indexOf("--no-warnings") + 1);
  const config = { artifactDir: tmpdir() } as Parameters<typeof runnerArguments>[0]["config"];
  const runner = flagsOf(
    runnerArguments({ config, limits: DEFAULT_PLUGIN_LIMITS, memories: 1, makesObjects: false, engine: "linker" }),
  );

  test.each([
    ["nobody else", [], "connected"],
    ["a runner", runner, "ERR_ACCESS_DENIED"],
    ["a compiler", flagsOf(compilerArguments("compile")), "ERR_ACCESS_DENIED"],
    ["an inspecting compiler", flagsOf(compilerArguments("inspect")), "ERR_ACCESS_DENIED"],
  ])("do not reach it, whatever the system permits: %s", async (_who, flags, outcome) => {
    await using server = await start();
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, "-e", CONNECT, server.path]);
    expect(stdout.trim()).toBe(outcome);
  });
});
