import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { HostError } from "../../../src/errors/host-error.ts";
import type { ServedApp } from "../../../src/cli/serve.ts";
import { run, type Run } from "./run.ts";

/** A store is named, so that no folder is made. */
const ENV = { HOME: "/nowhere", SQLITE_PATH: "/nowhere/store.sqlite" };

/** A replica that does what it is told, and remembers what it was asked. */
class FakeApp implements ServedApp {
  readonly reasons: string[] = [];
  readonly reloads: string[] = [];
  readonly becameReady = Promise.withResolvers<void>();
  readonly gaveUp = Promise.withResolvers<never>();
  readonly drained = Promise.withResolvers<"clean" | "forced">();
  readonly draining = Promise.withResolvers<void>();

  get ready(): Promise<void> {
    return this.becameReady.promise;
  }

  get failed(): Promise<never> {
    return this.gaveUp.promise;
  }

  reload(reason: string): void {
    this.reloads.push(reason);
  }

  drain(reason: string): Promise<"clean" | "forced"> {
    this.reasons.push(reason);
    this.draining.resolve();
    return this.drained.promise;
  }
}

interface Serving {
  readonly app: FakeApp;
  readonly signals: EventEmitter;
  readonly exits: number[];
  readonly ended: Promise<Run>;
}

async function serve(isTerminalGone = false): Promise<Serving> {
  const app = new FakeApp();
  const signals = new EventEmitter();
  const exits: number[] = [];
  const started = Promise.withResolvers<void>();
  const ended = run(["serve"], {
    env: ENV,
    signals,
    isTerminalGone: () => isTerminalGone,
    exit: (code) => exits.push(code),
    startApp: () => {
      started.resolve();
      return Promise.resolve(app);
    },
  });
  await started.promise;
  return { app, signals, exits, ended };
}

describe("serve", () => {
  test.each([
    ["clean", 0],
    ["forced", 3],
  ] as const)("drains at the first signal and, when that was %s, ends with %i", async (outcome, code) => {
    const { app, signals, exits, ended } = await serve();
    app.becameReady.resolve();
    signals.emit("SIGTERM", "SIGTERM");
    await app.draining.promise;
    app.drained.resolve(outcome);
    expect(await ended).toMatchObject({ code, stderr: "" });
    expect([app.reasons, exits]).toEqual([["SIGTERM"], []]);
    expect(signals.listenerCount("SIGTERM") + signals.listenerCount("SIGINT")).toBe(0);
  });

  test.each(["SIGINT", "SIGQUIT", "SIGUSR2"])("drains at %s, too", async (signal) => {
    const { app, signals, ended } = await serve();
    app.drained.resolve("clean");
    signals.emit(signal, signal);
    expect((await ended).code).toBe(0);
    expect(app.reasons).toEqual([signal]);
  });

  test("reads the files again at each SIGHUP, and goes on", async () => {
    const { app, signals, ended } = await serve();
    signals.emit("SIGHUP", "SIGHUP");
    signals.emit("SIGHUP", "SIGHUP");
    await expect.poll(() => app.reloads.length).toBeGreaterThan(0);
    signals.emit("SIGHUP", "SIGHUP");
    expect(app.reasons).toEqual([]);
    app.drained.resolve("clean");
    signals.emit("SIGTERM", "SIGTERM");
    expect((await ended).code).toBe(0);
    expect(new Set(app.reloads)).toEqual(new Set(["SIGHUP"]));
  });

  test("drains at SIGHUP where its terminal has gone", async () => {
    const { app, signals, exits, ended } = await serve(true);
    signals.emit("SIGHUP", "SIGHUP");
    await app.draining.promise;
    expect([app.reasons, app.reloads]).toEqual([["SIGHUP"], []]);
    signals.emit("SIGHUP", "SIGHUP");
    expect(exits).toEqual([129]);
    app.drained.resolve("clean");
    expect((await ended).code).toBe(0);
  });

  test("ends at once at the second signal", async () => {
    const { app, signals, exits, ended } = await serve();
    signals.emit("SIGTERM", "SIGTERM");
    await app.draining.promise;
    signals.emit("SIGINT", "SIGINT");
    expect(exits).toEqual([130]);
    app.drained.resolve("clean");
    await ended;
  });

  test("heeds a signal that comes while the replica starts", async () => {
    const signals = new EventEmitter();
    const app = new FakeApp();
    app.drained.resolve("clean");
    const { code } = await run(["serve"], {
      env: ENV,
      signals,
      startApp: () => {
        signals.emit("SIGINT", "SIGINT");
        return Promise.resolve(app);
      },
    });
    expect([code, app.reasons]).toEqual([0, ["SIGINT"]]);
  });

  test("says why a replica does not start", async () => {
    const { code, stderr } = await run(["serve"], {
      env: ENV,
      startApp: () => Promise.reject(new HostError("config-invalid", "consumers/a.yaml:3:1: unknown key")),
    });
    expect([code, stderr]).toEqual([2, "error config-invalid: consumers/a.yaml:3:1: unknown key\n"]);
  });

  test.each(["becameReady", "gaveUp"] as const)("drains and says why when the replica fails (%s)", async (stage) => {
    const { app, ended } = await serve();
    app.drained.resolve("clean");
    if (stage === "gaveUp") app.becameReady.resolve();
    app[stage].reject(new HostError("nats-unavailable", "the connection to nats://u:s3cret@h was closed"));
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([3, "error nats-unavailable: the connection to nats://***@h was closed\n"]);
    expect(app.reasons).toEqual(["it cannot continue"]);
  });

  test("shows the stack of a bug, asks to report it, and ends with 70", async () => {
    const { code, stderr } = await run(["serve"], {
      env: ENV,
      startApp: () => Promise.reject(new TypeError("x is not a function")),
    });
    expect(code).toBe(70);
    expect(stderr).toMatch(/^error internal: x is not a function\n[\s\S]*serve\.test\.ts[\s\S]*please report it\.\n$/);
  });
});
