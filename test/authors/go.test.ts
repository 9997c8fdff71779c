/**
 * The Go module, packed as a module proxy has it and fetched into an empty folder: the page for its authors, the module's own tests, and
 * what plugins count on at a request on a real replica, on both engines.
 */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { copyPackageBinaries } from "../../scripts/build/package-binaries.ts";
import { run } from "../../scripts/lib/command.ts";
import { findGo } from "../../scripts/toolchains/go.ts";
import { consumerFile, policyFiles, projectFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { describeOnRequest } from "./toolchains.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

const MODULE = "network-host.example/networkplugin";
const PROBE_TIMEOUT_MS = 30_000;
const PACK_TIMEOUT_MS = 600_000;

interface GoPlace {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Packs the module into `proxy`, which its author's Go asks first. What the machine has fetched before is there without a
 * network; what the page fetches is kept in `modules`.
 */
async function goPlace(proxy: string, modules: string): Promise<GoPlace> {
  const go = await findGo();
  const [fetched = "", others = ""] = (
    await run(go, ["env", "GOMODCACHE", "GOPROXY"], { timeoutMs: PROBE_TIMEOUT_MS })
  ).split("\n");
  await run(go, ["run", "-C", projectFile("sdk/go/pack"), ".", proxy, "v1.0.0"], { timeoutMs: PACK_TIMEOUT_MS });
  const env = {
    GOPROXY: `file://${proxy},file://${join(fetched, "cache/download")},${others}`,
    GONOSUMDB: "network-host.example",
    GOMODCACHE: modules,
    GOFLAGS: "-modcacherw",
  };
  return { path: dirname(go), env };
}

// Go compiles its standard library and wasm-tools: `npm run test:authors`.
await describeOnRequest(["go"], "the Go module", () => {
  let home: string;
  let place: GoPlace;
  let workplace: Workplace;
  let server: Server;
  let origin: string;
  let nats: NatsConnection;

  beforeAll(async () => {
    await copyPackageBinaries();
    home = await mkdtemp(join(tmpdir(), "author-go-"));
    place = await goPlace(join(home, "proxy"), join(home, "modules"));
    workplace = await createWorkplace(place);
    await workplace.follow("docs/write-a-plugin/go.md");
    const battery = `${MODULE}/internal/builder/testdata/battery`;
    await workplace.sh(`go tool network-plugin build -o battery.wasm ${battery}`);
    server = createServer((incoming, response) => {
      const reply = async (): Promise<unknown> => {
        const body = await text(incoming);
        return response.writeHead(418, { "X-Pot": "blue" }).end(`${incoming.method} ${body.length}`);
      };
      reply().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
    server.close();
    await workplace[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });

  test("the archive holds the module and what it embeds, and not the module that packs it", async () => {
    const fetched = await workplace.sh(`cd "$(go list -m -f '{{.Dir}}' ${MODULE})" && ls -A && ls internal/component`);
    const names = fetched.trim().split("\n");
    expect(names.filter((name) => !name.endsWith(".go")).sort()).toEqual(
      [
        ...".gitignore CHANGELOG.md LICENSE README.md bindings cmd contract go.mod go.sum internal nethttp plugintest wasihttp".split(
          " ",
        ),
        ..."wasi_snapshot_preview1.reactor.wasm wasm-tools.core.wasm".split(" "),
      ].sort(),
    );
  });

  test("its own tests pass as it was fetched", async () => {
    const said = await workplace.sh(`cd "$(go list -m -f '{{.Dir}}' ${MODULE})" && go test ./...`);
    expect(said.match(/^ok /gm)).toHaveLength(6);
  });

  test("the module's README leads to a plugin, too", async () => {
    await using readme = await createWorkplace(place);
    await readme.follow("sdk/go/README.md");
    expect(await readme.sh("network-host inspect plugin.wasm")).toContain("key-value-read");
  });

  describe.each(["linker", "jco"])("a request on the engine %s", (engine) => {
    const names = { battery: uniqueName(`battery-go-${engine}`), fetch: uniqueName(`fetch-go-${engine}`) };
    let replica: Replica;

    beforeAll(async () => {
      replica = await startReplica({
        args: ["--engine", engine],
        consumer: consumerFile({
          group: names.battery,
          plugins: {
            [names.battery]: join(workplace.folder, "battery.wasm"),
            [names.fetch]: join(workplace.folder, "fetch.wasm"),
          },
        }),
        policies: policyFiles({
          [names.battery]: {
            allow: ["key-value-read", "key-value-write", "outbound-http"],
            buckets: { private: ["values"] },
            hosts: [origin],
          },
          [names.fetch]: { allow: ["outbound-http"], hosts: [origin] },
        }),
      });
    });

    afterAll(async () => {
      await replica[Symbol.asyncDispose]();
    });

    const ask = async (method: string, payload = "") =>
      request(nats, `rpc.${names.battery}`, payload, { "Rpc-Method": method, "Rpc-Id": method });

    test("is answered with its own bytes, and with none", async () => {
      expect((await ask("echo", "0\u0000é")).text).toBe("0\u0000é");
      expect((await ask("echo")).data.length).toBe(0);
      expect((await ask("status")).status).toBe(65_535);
    });

    test("fails with the error's text, in valid UTF-8", async () => {
      const failed = await ask("fail");
      expect([failed.error, failed.text]).toEqual(["plugin-error", "no such user"]);
      expect((await ask("garbled")).text).toBe("no \uFFFD user");
      expect((await ask("no-such-method")).text).toBe("no such method");
    });

    test("traps on a panic, and the log has its text", async () => {
      expect((await ask("panic")).error).toBe("plugin-trapped");
      await replica.logged(({ msg, id }) => id === "panic" && String(msg).includes("panic: too far"));
    });

    test("writes to the log, by the contract and by both outputs", async () => {
      await ask("log");
      await replica.logged(({ msg, id, level }) => msg === "careful, \uFFFD" && id === "log" && level === "warn");
      await replica.logged(({ msg, id }) => msg === "by standard output" && id === "log");
      await replica.logged(({ msg, id }) => msg === "by standard error" && id === "log");
    });

    test("starts from the state after initialisation", async () => {
      expect([(await ask("count")).text, (await ask("count")).text]).toEqual(["1", "1"]);
    });

    test("tells an empty value from a missing one, and gets an Err for a bucket that is not allowed", async () => {
      expect((await ask("store", "\u0000é")).text).toBe("the store does what it says");
    });

    test("has goroutines that wait side by side, and garbage that is collected", async () => {
      expect((await ask("wait")).status).toBe(200);
      expect((await ask("collect")).text).toBe(String(50 * 256 * 1024));
    });

    test("gets random values of its own", async () => {
      const values = await Promise.all(Array.from({ length: 4 }, async () => (await ask("random")).text));
      const drawn = new Set(values.flatMap((value) => value.split(" ")));
      expect(drawn.size).toBe(8);
    });

    test("sends HTTP requests by either client", async () => {
      const sent = await ask("fetch", `${origin}/pot`);
      expect([sent.status, sent.text]).toEqual([418, "blue POST 10000"]);
      const client = await ask("client", `${origin}/pot`);
      expect([client.status, client.text]).toEqual([418, "blue GET 0"]);
      const page = await request(nats, `rpc.${names.fetch}`, `${origin}/pot`, { "Rpc-Method": "why" });
      expect([page.status, page.text]).toEqual([418, "POST 3"]);
    });

    test("fails with the code of wasi:http if the policy does not allow the address", async () => {
      const reply = await ask("fetch", "http://192.0.2.1/pot");
      expect([reply.error, reply.text]).toEqual(["plugin-error", "HTTP request: HTTP-request-denied"]);
    });
  });
});
