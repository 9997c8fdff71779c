/** What `status` and `reload` make of replicas' answers. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FilesReport, ReloadReport, ReplicaIdentity, StatusReport } from "../../../src/control/report.ts";
import { startControlServer } from "../../../src/control/server.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { run } from "./run.ts";

const READY = { ready: true } as const;
const AT = "2026-01-02T03:04:05.000Z";
const FILES: FilesReport = {
  consumerFile: "/etc/c.yaml",
  policyDir: "/etc/policy",
  lastGood: AT,
  problems: [],
  failure: null,
  pendingSettings: [],
  warnings: [],
};
const PROBLEM = { file: "/etc/policy/a.yaml", line: 3, column: 5, message: "no such\u001b[2J level" };

function identity(pid: number): ReplicaIdentity {
  return { id: `replica-${pid}`, group: "g", pid, version: "1.2.3", started: AT };
}

function status(pid: number, changes: Partial<StatusReport> = {}): StatusReport {
  return {
    replica: identity(pid),
    state: "ready",
    since: AT,
    checks: { nats: READY, subscriptions: READY, store: READY, plugins: READY },
    inFlight: 2,
    nats: { server: "n:4222", state: "up", since: AT },
    store: { kind: "sqlite", state: "up", since: AT },
    wrpc: [],
    files: FILES,
    plugins: [],
    ...changes,
  };
}

function reload(pid: number, changes: Partial<ReloadReport> = {}): ReloadReport {
  return {
    replica: identity(pid),
    inForce: true,
    read: { policies: 2, components: 1 },
    added: [],
    changed: [],
    removed: [],
    denied: [],
    refused: [],
    files: FILES,
    durationMs: 12,
    ...changes,
  };
}

let folder: string;
let servers: AsyncDisposableStack;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "network-host-control-"));
  servers = new AsyncDisposableStack();
});
afterEach(async () => {
  await servers.disposeAsync();
  await rm(folder, { recursive: true });
});

/** A replica that answers so. */
async function serve(pid: number, answers: { status?: StatusReport; reload?: ReloadReport }): Promise<void> {
  const refused = (): Promise<never> => Promise.reject(new HostError("draining", "it is stopping"));
  servers.use(
    await startControlServer({
      folder,
      pid,
      handlers: {
        identify: () => identity(pid),
        status: () => (answers.status === undefined ? refused() : Promise.resolve(answers.status)),
        reload: () => (answers.reload === undefined ? refused() : Promise.resolve(answers.reload)),
      },
      failed: () => undefined,
    }),
  );
}

function command(...args: readonly string[]) {
  return run(args, { env: { CONTROL_DIR: folder } });
}

describe("status", () => {
  test("shows each replica, and its plugins with what is wrong with them", async () => {
    await serve(11, { status: status(11) });
    const plugin = {
      since: AT,
      component: "/a.wasm",
      version: "0.0.1",
      digest: "abcdef0123456789",
      policy: "p",
      engine: "linker",
      requests: 5,
      errors: 1,
      inFlight: 2,
      runners: 3,
      restarts: 0,
    };
    const plugins: StatusReport["plugins"] = [
      {
        ...plugin,
        name: "good",
        state: "granted",
        error: null,
        refused: { code: "component-rejected", message: "names\nmodule" },
      },
      {
        ...plugin,
        name: "bad",
        state: "failed",
        digest: null,
        error: { code: "load-failed", message: "it\u001b[2J ended" },
        refused: null,
      },
    ];
    await serve(12, {
      status: status(12, {
        plugins,
        state: "not-ready",
        checks: {
          nats: { ready: false, reason: "not connected" },
          subscriptions: READY,
          store: READY,
          plugins: { ready: true, degraded: "newer" },
        },
        wrpc: [
          { plugin: "echo", transport: "tcp", address: "127.0.0.1:7761" },
          { plugin: "echo", transport: "nats", address: "calls.echo" },
        ],
        files: { ...FILES, problems: [PROBLEM], warnings: ["unused"], lastGood: null },
      }),
    });
    const { code, stdout, stderr } = await command("status");
    expect([code, stderr]).toEqual([3, ""]);
    expect(stdout).toBe(`replica replica-11 (process 11, group g): ready since ${AT}
  version        1.2.3, started ${AT}
  nats           ready, n:4222 since ${AT}
  subscriptions  ready
  store          ready, sqlite since ${AT}
  plugins        ready
  in flight      2
  files          in force, last good at ${AT}

replica replica-12 (process 12, group g): not-ready since ${AT}
  version        1.2.3, started ${AT}
  nats           not ready: not connected, n:4222 since ${AT}
  subscriptions  ready
  store          ready, sqlite since ${AT}
  plugins        ready; newer
  wrpc           echo on 127.0.0.1:7761, echo over NATS as calls.echo
  in flight      2
  files          not all in force, not read yet
  refused /etc/policy/a.yaml:3:5: no such\\u{1b}[2J level
  warning unused

  PLUGIN  STATE    SINCE                     DIGEST        IN FLIGHT  PROCESSES  REQUESTS  ERRORS
  good    granted  ${AT}  abcdef012345  2          3          5         1
  bad     failed   ${AT}  -             2          3          5         1
  good a newer version is refused: component-rejected names
    module
  bad cannot be served: load-failed it\\u{1b}[2J ended
`);
    expect((await command("status", "replica-11")).code).toBe(0);
    expect((await command("status", "11", "--json")).stdout).toBe(
      `${JSON.stringify({ replicas: [{ ...status(11), error: null }] })}\n`,
    );
  });

  test("shows those that answer beside those that do not", async () => {
    await serve(11, { status: status(11) });
    await serve(12, {});
    const { code, stdout, stderr } = await command("status");
    expect([code, stderr]).toEqual([3, "error draining: it is stopping\n"]);
    expect(stdout).toContain("replica replica-11");
  });

  test("finds nobody where there is no folder, and asks nobody where it is off", async () => {
    const missing = await run(["status", "--control", join(folder, "missing")]);
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining("replica-unreachable")]);
    const off = await run(["status", "--control", "off"]);
    expect([off.code, off.stderr]).toEqual([2, expect.stringContaining("--control")]);
  });
});

describe("reload", () => {
  test.each([
    ["everything is in force", {}, 0],
    ["a plugin is denied by its policy", { denied: ["a"] }, 0],
    ["a file is invalid", { inForce: false, files: { ...FILES, problems: [PROBLEM] } }, 2],
    ["a setting takes a restart", { inForce: false }, 1],
    [
      "files could not be looked at by a bug",
      { inForce: false, files: { ...FILES, failure: { code: "internal", message: "x" } } },
      1,
    ],
  ] as const)("exits where %s with its code", async (_what, changes, code) => {
    await serve(11, { reload: reload(11, changes) });
    expect((await command("reload")).code).toBe(code);
    const { stdout } = await command("reload", "--json");
    expect(JSON.parse(stdout)).toEqual({ ok: code === 0, replicas: [{ ...reload(11, changes), error: null }] });
  });

  test("says what was read, the outcome and what is refused", async () => {
    await serve(11, {
      reload: reload(11, {
        inForce: false,
        added: ["n1", "n2"],
        changed: ["c"],
        removed: ["r"],
        denied: ["d"],
        refused: [
          {
            name: "x",
            component: "/x.wasm",
            error: { code: "component-rejected", message: "why" },
            serves: "older-version",
          },
          { name: "y", component: "/y.wasm", error: { code: "load-failed", message: "not" }, serves: "nothing" },
        ],
        files: {
          ...FILES,
          problems: [PROBLEM],
          failure: { code: "internal", message: "bug" },
          pendingSettings: [{ key: "group", inForce: "g", written: "h" }],
        },
      }),
    });
    const { code, stdout } = await command("reload");
    expect(code).toBe(2);
    expect(stdout).toBe(`replica replica-11 (process 11): not everything is in force, after 12 ms
  read: /etc/c.yaml, 2 policies in /etc/policy, 1 components
  added: n1, n2
  changed: c
  removed: r
  denied by its policy: d
  refused /etc/policy/a.yaml:3:5: no such\\u{1b}[2J level
  internal bug
  restart group takes a restart: g stays in force, h is written
  refused x, /x.wasm: component-rejected: why
    an older version serves
  refused y, /y.wasm: load-failed: not
    it is not served
`);
  });

  test("goes to one replica, or to all that are meant to be, and exits with the worst of their codes", async () => {
    await serve(11, { reload: reload(11) });
    await serve(12, {});
    await serve(13, { reload: reload(13, { inForce: false }) });
    const unclear = await command("reload");
    expect([unclear.code, unclear.stdout]).toEqual([2, ""]);
    expect(unclear.stderr).toContain("replica-11 (process 11), replica-12 (process 12), replica-13 (process 13)");
    expect((await command("reload", "--all", "11")).code).toBe(2);
    expect((await command("reload", "replica-11")).code).toBe(0);
    expect((await command("reload", "12")).code).toBe(3);
    const all = await command("reload", "--all");
    expect([all.code, all.stderr]).toEqual([1, "error draining: it is stopping\n"]);
    expect(all.stdout.match(/^replica /gm)).toHaveLength(2);
    const json = JSON.parse((await command("reload", "--all", "--json")).stdout) as unknown;
    expect(json).toMatchObject({
      ok: false,
      replicas: [
        { replica: { pid: 11 }, error: null },
        { replica: { pid: 12 }, error: { code: "draining" } },
        { replica: { pid: 13 }, inForce: false },
      ],
    });
  });
});
