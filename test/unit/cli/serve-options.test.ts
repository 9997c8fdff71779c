import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServeOptions } from "../../../src/app-options.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { run } from "./run.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "home-"));
});
afterAll(() => rm(home, { recursive: true }));

/** What a replica would be started with, or what was said instead. */
async function optionsOf(args: readonly string[], env: Record<string, string> = {}): Promise<ServeOptions> {
  const started: ServeOptions[] = [];
  const { stderr } = await run(["serve", ...args], {
    env: { HOME: home, ...env },
    startApp: (options) => {
      started.push(options);
      return Promise.reject(new HostError("denied"));
    },
  });
  const [options] = started;
  if (options === undefined) throw new Error(stderr);
  return options;
}

describe("serve", () => {
  test("has a default for everything, on this machine", async () => {
    expect(await optionsOf([])).toEqual({
      nats: { servers: ["nats://127.0.0.1:4222"], credentials: { kind: "none" } },
      natsPingMs: 5_000,
      store: { kind: "sqlite", path: join(home, ".local/state/network-host/store.sqlite") },
      consumerFile: resolve("consumers/default.yaml"),
      policyDir: resolve("policy"),
      replicaId: expect.stringMatching(new RegExp(`^[A-Za-z0-9_-]{1,48}-${process.pid}$`)) as string,
      cacheDir: join(home, ".cache/network-host/artifacts"),
      cacheBytes: 4 * 1024 ** 3,
      registries: {
        access: {
          plainHttpHosts: [],
          proxies: { none: "" },
          dockerFolder: join(home, ".docker"),
          env: expect.anything() as object,
        },
        checkMs: 60_000,
      },
      sandbox: "auto",
      runnerUser: { uid: 65_534, gid: 65_534 },
      engine: "auto",
      control: { folder: `/tmp/network-host-${process.geteuid?.()}`, chosen: "by-default" },
      log: { level: "info", format: "json", colour: false },
    });
    expect((await optionsOf([])).replicaId).toContain(
      hostname()
        .slice(0, 8)
        .replaceAll(/[^A-Za-z0-9_-]+/g, "-"),
    );
  });

  test("takes everything from flags", async () => {
    const args = [
      ["--nats", "tls://a:1,b"],
      ["--nats-ping", "1.5s"],
      ["--store", "mongodb://u:p@db/app"],
      ["--consumer", "c.yaml"],
      ["--policy", "p"],
      ["--replica-id", "r-1"],
      ["--cache", "/var/cache/nh"],
      ["--cache-bytes", "512MiB"],
      ["--sandbox", "none"],
      ["--runner-user", "1000:100"],
      ["--engine", "jco"],
      ["--registry-plain-http", "Localhost:5000, b.example"],
      ["--registry-ca", "ca.pem"],
      ["--registry-check", "5s"],
      ["--control", "c"],
      ["--health-port", "0.0.0.0:8080"],
      ["--log-level", "debug"],
      ["--log-format", "pretty"],
    ];
    expect(await optionsOf(args.flat())).toEqual({
      nats: { servers: ["tls://a:1", "nats://b:4222"], credentials: { kind: "none" } },
      natsPingMs: 1_500,
      store: { kind: "mongodb", url: "mongodb://u:p@db/app", source: "--store" },
      consumerFile: resolve("c.yaml"),
      policyDir: resolve("p"),
      replicaId: "r-1",
      cacheDir: "/var/cache/nh",
      cacheBytes: 512 * 1024 ** 2,
      registries: {
        access: {
          plainHttpHosts: ["localhost:5000", "b.example"],
          caFile: resolve("ca.pem"),
          proxies: { none: "" },
          dockerFolder: join(home, ".docker"),
          env: expect.anything() as object,
        },
        checkMs: 5_000,
      },
      engine: "jco",
      control: { folder: resolve("c"), chosen: "by-operator" },
      health: { host: "0.0.0.0", port: 8080 },
      sandbox: "none",
      runnerUser: { uid: 1000, gid: 100 },
      log: { level: "debug", format: "pretty", colour: false },
    });
  });

  test("takes the same from variables", async () => {
    const env = {
      NATS_URL: "nats://a:1",
      NATS_CREDS: "/run/nats.creds",
      NATS_PING: "250ms",
      SQLITE_PATH: "/data/kv.sqlite",
      CONSUMER_FILE: "/etc/c.yaml",
      POLICY_DIR: "/etc/policy",
      REPLICA_ID: "r_2",
      CACHE_DIR: "/var/cache/nh",
      CACHE_BYTES: "2GiB",
      ENGINE: "linker",
      REGISTRY_PLAIN_HTTP: "localhost:5000",
      REGISTRY_CA: "/etc/ca.pem",
      REGISTRY_CHECK: "10m",
      DOCKER_CONFIG: "/etc/docker",
      HTTP_PROXY: "upper:3128",
      http_proxy: "http://lower:3128",
      HTTPS_PROXY: "https://user:secret@secure:443/",
      no_proxy: ".internal",
      CONTROL_DIR: "/run/nh",
      HEALTH_PORT: "8080",
      SANDBOX: "auto",
      RUNNER_USER: "200000",
      LOG_LEVEL: "warn",
      LOG_FORMAT: "json",
    };
    expect(await optionsOf([], env)).toEqual({
      nats: { servers: ["nats://a:1"], credentials: { kind: "file", path: "/run/nats.creds" } },
      natsPingMs: 250,
      store: { kind: "sqlite", path: "/data/kv.sqlite" },
      consumerFile: "/etc/c.yaml",
      policyDir: "/etc/policy",
      replicaId: "r_2",
      cacheDir: "/var/cache/nh",
      cacheBytes: 2 * 1024 ** 3,
      registries: {
        access: {
          plainHttpHosts: ["localhost:5000"],
          caFile: "/etc/ca.pem",
          proxies: { http: "http://lower:3128/", https: "https://user:secret@secure/", none: ".internal" },
          dockerFolder: "/etc/docker",
          env: expect.anything() as object,
        },
        checkMs: 600_000,
      },
      engine: "linker",
      control: { folder: "/run/nh", chosen: "by-operator" },
      health: { host: "127.0.0.1", port: 8080 },
      sandbox: "auto",
      runnerUser: { uid: 200_000, gid: 200_000 },
      log: { level: "warn", format: "json", colour: false },
    });
  });

  test("lets a flag win over a variable, and takes an empty variable for none", async () => {
    const env = { NATS_URL: "nats://env", REPLICA_ID: "from-env", LOG_LEVEL: "", HEALTH_PORT: "" };
    const options = await optionsOf(["--nats", "nats://flag"], env);
    expect(options.nats.servers).toEqual(["nats://flag:4222"]);
    expect(options.replicaId).toBe("from-env");
    expect(options.log.level).toBe("info");
    expect(options.health).toBeUndefined();
  });

  test("has no control socket where it is switched off", async () => {
    expect((await optionsOf(["--control", "off"])).control).toBeUndefined();
    expect((await optionsOf([], { CONTROL_DIR: "off" })).control).toBeUndefined();
  });

  test("lets the flag of one store win over the variable of the other", async () => {
    expect((await optionsOf(["--sqlite", "/x.db"], { MONGODB_URL: "mongodb://db" })).store).toEqual({
      kind: "sqlite",
      path: "/x.db",
    });
    expect((await optionsOf(["--store", "mongodb://db"], { SQLITE_PATH: "/x.db" })).store).toEqual({
      kind: "mongodb",
      url: "mongodb://db",
      source: "--store",
    });
  });

  test("keeps state and cache where XDG variables say, unless they are relative", async () => {
    const absolute = await optionsOf([], { XDG_STATE_HOME: join(home, "s"), XDG_CACHE_HOME: "/c" });
    expect([absolute.store, absolute.cacheDir]).toEqual([
      { kind: "sqlite", path: join(home, "s/network-host/store.sqlite") },
      "/c/network-host/artifacts",
    ]);
    expect((await optionsOf([], { XDG_CACHE_HOME: "c" })).cacheDir).toBe(join(home, ".cache/network-host/artifacts"));
  });

  test("makes the folder of the default store, for its user alone, and no other", async () => {
    await optionsOf([], { XDG_STATE_HOME: join(home, "made") });
    expect((await stat(join(home, "made/network-host"))).mode & 0o777).toBe(0o700);
    await optionsOf(["--sqlite", join(home, "not-made/store.sqlite")]);
    await expect(stat(join(home, "not-made"))).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(join(home, "file"), "");
    const { code, stderr } = await run(["serve"], { env: { XDG_STATE_HOME: join(home, "file") } });
    expect([code, stderr]).toEqual([2, expect.stringContaining("name a store with --sqlite or --store")]);
  });

  test.each([
    ["nats://user:p%40ss@h:1", { kind: "password", user: "user", password: "p@ss" }],
    ["nats://u:p@a,nats://u:p@b", { kind: "password", user: "u", password: "p" }],
    ["nats://s3cret@h", { kind: "token", token: "s3cret" }],
  ])("takes credentials out of %s", async (url, credentials) => {
    const { nats } = await optionsOf([], { NATS_URL: url });
    expect(nats.credentials).toEqual(credentials);
    expect(nats.servers.join()).not.toContain("@");
  });

  test("takes URLs out of files that variables name, once, and remembers where the other secrets are", async () => {
    await writeFile(join(home, "nats-url"), "nats://u:p@h:1\r\n");
    await writeFile(join(home, "mongodb-url"), "mongodb://u:p@db/app\n");
    const files = { NATS_URL_FILE: join(home, "nats-url"), MONGODB_URL_FILE: join(home, "mongodb-url") };
    expect(await optionsOf([], files)).toMatchObject({
      nats: { servers: ["nats://h:1"], credentials: { kind: "password", user: "u", password: "p" } },
      store: { kind: "mongodb", url: "mongodb://u:p@db/app", source: "MONGODB_URL_FILE" },
    });
    expect((await optionsOf(["--store", "mongodb://other"], files)).store).toMatchObject({ url: "mongodb://other" });
    const at = (name: string) => ({ path: join(home, name) });
    for (const [env, credentials] of [
      [{ NATS_TOKEN_FILE: at("t").path }, { kind: "token", token: at("t") }],
      [{ NATS_NKEY_SEED_FILE: at("s").path }, { kind: "nkey", seed: at("s") }],
      [
        { NATS_USER: "u", NATS_PASSWORD_FILE: at("p").path },
        { kind: "password", user: "u", password: at("p") },
      ],
      [
        { NATS_USER: "u", NATS_PASSWORD: "p" },
        { kind: "password", user: "u", password: "p" },
      ],
    ] as const) {
      expect((await optionsOf([], env)).nats.credentials).toEqual(credentials);
    }
  });

  test("asks for TLS where its files or its moment are named", async () => {
    const files = { NATS_CA: "/ca.pem", NATS_CERT: "/cert.pem", NATS_KEY: "/key.pem" };
    expect((await optionsOf(["--nats-tls", "first"], files)).nats.tls).toEqual({
      handshake: "first",
      caFile: "/ca.pem",
      client: { certFile: "/cert.pem", keyFile: "/key.pem" },
    });
    expect((await optionsOf(["--nats-ca", "/ca.pem"])).nats.tls).toEqual({
      handshake: "after-info",
      caFile: "/ca.pem",
    });
  });

  test("takes a token from its variable", async () => {
    expect((await optionsOf([], { NATS_TOKEN: "t" })).nats.credentials).toEqual({ kind: "token", token: "t" });
  });

  test("listens on an IPv6 address", async () => {
    expect((await optionsOf(["--health-port", "[::1]:0"])).health).toEqual({ host: "::1", port: 0 });
  });

  test.each([
    [["--nats", ""], {}, "--nats is empty"],
    [["--nats", "http://h"], {}, '--nats "http://h": write nats://host:port'],
    [["--nats", "nats://h:99999"], {}, "write nats://host:port"],
    [["--nats", "nats://h/path"], {}, "write nats://host:port"],
    [["--nats", "a,,b"], {}, "write nats://host:port"],
    [["--nats", "nats://%zz@h"], {}, "write nats://host:port"],
    [[], { NATS_URL: "nats://u:p@a,nats://v:q@b" }, "more than one kind of NATS credentials"],
    [[], { NATS_URL: "nats://u:p@a", NATS_TOKEN: "t" }, "more than one kind of NATS credentials"],
    [[], { NATS_TOKEN: "t", NATS_TOKEN_FILE: "/t" }, "NATS_TOKEN and NATS_TOKEN_FILE are both given"],
    [[], { NATS_URL: "nats://h", NATS_URL_FILE: "/t" }, "NATS_URL and NATS_URL_FILE are both given"],
    [[], { NATS_URL_FILE: "/nowhere/url" }, "NATS_URL_FILE /nowhere/url cannot be used: ENOENT"],
    [[], { MONGODB_URL_FILE: "/dev/null" }, "MONGODB_URL_FILE /dev/null cannot be used: it is empty"],
    [[], { NATS_USER: "u" }, "NATS_USER has no password"],
    [[], { NATS_PASSWORD: "p" }, "NATS_PASSWORD has no user"],
    [[], { NATS_NKEY_SEED: "SUNONE" }, "NATS_NKEY_SEED holds no NKEY seed of a user"],
    [[], { NATS_CERT: "/c" }, "NATS_CERT and NATS_KEY belong together"],
    [["--nats-tls", "last"], {}, '--nats-tls "last": write auto or first'],
    [["--nats-ping", "5"], {}, '--nats-ping "5": write a duration of 250ms to 2m'],
    [["--nats-ping", "3m"], {}, '--nats-ping "3m": write a duration of 250ms to 2m'],
    [[], { NATS_PING: "often" }, 'NATS_PING "often": write milliseconds or a number with a unit'],
    [["--cache-bytes", "5"], {}, '--cache-bytes "5": write a size with its unit, for example 512MiB or 4GiB'],
    [[], { CACHE_BYTES: "0GiB" }, 'CACHE_BYTES "0GiB": write a size with its unit'],
    [["--engine", "wasmtime"], {}, '--engine "wasmtime": write one of auto, jco, linker'],
    [["--store", "postgres://db"], {}, '--store "postgres://db": write mongodb://'],
    [["--store", "mongodb://"], {}, "write mongodb://"],
    [["--store", "mongodb://db", "--sqlite", "x"], {}, "--store and --sqlite name two stores: leave one out"],
    [[], { MONGODB_URL: "mongodb://db", SQLITE_PATH: "x" }, "MONGODB_URL and SQLITE_PATH name two stores"],
    [["--replica-id", "a b"], {}, '--replica-id "a b": write 1 to 64'],
    [["--health-port", "80800"], {}, '--health-port "80800": write a port'],
    [["--health-port", "host:"], {}, "write a port, or host:port"],
    [[], { HEALTH_PORT: "http" }, 'HEALTH_PORT "http": write a port'],
    [["--sandbox", "off"], {}, '--sandbox "off": write auto or none'],
    [["--runner-user", "nobody"], {}, '--runner-user "nobody": write a user'],
    [[], { RUNNER_USER: "1000:0" }, 'RUNNER_USER "1000:0": write a user'],
    [["--log-level", "verbose"], {}, '--log-level "verbose": write one of debug, info'],
    [[], { LOG_FORMAT: "xml" }, 'LOG_FORMAT "xml": write pretty or json'],
    [["extra"], {}, "too many arguments"],
  ])("refuses %j with %j, naming what to write", async (args, env, message) => {
    const { code, stdout, stderr } = await run(["serve", ...args], { env: { HOME: home, ...env } });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("error usage-invalid: ");
    expect(stderr).toContain(message);
  });

  test("never shows a password when it refuses a URL", async () => {
    for (const env of [{ NATS_URL: "ftp://u:s3cret@h" }, { MONGODB_URL: "mysql://u:s3cret@h" }]) {
      const { code, stderr } = await run(["serve"], { env: { HOME: home, ...env } });
      expect(code).toBe(2);
      expect(stderr).not.toContain("s3cret");
    }
  });

  test("answers any value of any setting with options or a usage error, never with a bug", async () => {
    const flags = [
      "--nats",
      "--nats-ping",
      "--store",
      "--sqlite",
      "--replica-id",
      "--sandbox",
      "--runner-user",
      "--health-port",
      "--log-level",
      "--log-format",
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...flags), fc.string({ unit: "grapheme" }), async (flag, value) => {
        const { code } = await run(["serve", `${flag}=${value}`], {
          env: { HOME: home },
          startApp: () => Promise.reject(new HostError("denied")),
        });
        expect([1, 2]).toContain(code);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
