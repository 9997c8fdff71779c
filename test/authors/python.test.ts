/**
 * The wheel, built and installed into an empty folder: the page for its authors, the package's own tests, and what plugins count on
 * at a request on a real replica.
 */

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { consumerFile, policyFiles, projectFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { describeOnRequest } from "./toolchains.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

const BATTERY = `import random

from network_plugin import AccessLevels, Plugin, RpcRequest, RpcResponse


def inner():
    raise RuntimeError("too far")


class Battery(Plugin):
    def get_access_levels(self) -> AccessLevels:
        return AccessLevels(0)

    def handle_request(self, request: RpcRequest) -> RpcResponse:
        if request.method == "random":
            return RpcResponse(200, str(random.random()).encode())
        if request.method == "bug":
            inner()
        return RpcResponse(200, request.payload)
`;

// Each component takes half a minute of a processor: `npm run test:authors`.
await describeOnRequest(["python"], "the wheel", () => {
  const names = { battery: uniqueName("battery-py"), fetch: uniqueName("fetch-py") };
  let wheels: string;
  let workplace: Workplace;
  let server: Server;
  let origin: string;
  let nats: NatsConnection;
  let replica: Replica;

  beforeAll(async () => {
    wheels = await mkdtemp(join(tmpdir(), "wheels-"));
    const wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, projectFile("sdk/python")];
    await run("python3", wheel, { timeoutMs: 600_000 });
    // pip looks there as well as in the index.
    workplace = await createWorkplace({ env: { PIP_FIND_LINKS: wheels } });
    await workplace.follow("docs/write-a-plugin/python.md");
    await writeFile(join(workplace.folder, "battery.py"), BATTERY);
    await workplace.sh(".venv/bin/python -m network_plugin build battery.py -o battery.wasm");
    server = createServer((incoming, response) => {
      const reply = async (): Promise<unknown> =>
        response.writeHead(418).end(`${incoming.method} ${await text(incoming)}`);
      reply().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    nats = await connect({ servers: inject("natsUrl") });
    replica = await startReplica({
      consumer: consumerFile({
        group: names.battery,
        plugins: {
          [names.battery]: join(workplace.folder, "battery.wasm"),
          [names.fetch]: join(workplace.folder, "fetch/plugin.wasm"),
        },
      }),
      policies: policyFiles({ [names.fetch]: { allow: ["outbound-http"], hosts: [origin] } }),
    });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
    server.close();
    await workplace[Symbol.asyncDispose]();
    await rm(wheels, { recursive: true, force: true });
  });

  const ask = async (method: string, payload = "") =>
    request(nats, `rpc.${names.battery}`, payload, { "Rpc-Method": method, "Rpc-Id": method });

  test("the package's README leads to a plugin, too", async () => {
    await using place = await createWorkplace({ env: { PIP_FIND_LINKS: wheels } });
    await place.follow("sdk/python/README.md");
    expect(await place.sh("ls plugin.wasm")).toBe("plugin.wasm\n");
  });

  test("the build prints what the component imports and asks for, as the host sees it", async () => {
    const printed = await workplace.sh(".venv/bin/python -m network_plugin build battery.py -o printed.wasm");
    const inspected = JSON.parse(await workplace.sh("npx network-host inspect printed.wasm --json")) as {
      imports: string[];
    };
    const imports = printed.match(/^(imports)? +[a-z]+:\S+$/gm)?.map((line) => line.replace(/^imports/, "").trim());
    expect(imports?.toSorted()).toEqual(inspected.imports.toSorted());
    expect(printed).toMatch(/^levels   none$/m);
  });

  test("its own tests pass with what was installed", async () => {
    const said = await workplace.sh(`.venv/bin/python ${projectFile("sdk/python/tests/test_network_plugin.py")}`);
    expect(said).toMatch(/^OK$/m);
  });

  test("random values differ from request to request", async () => {
    const values = await Promise.all(Array.from({ length: 4 }, async () => (await ask("random")).text));
    expect(new Set(values).size).toBe(4);
  });

  test("an exception is a trap, whose traceback is in the log", async () => {
    expect((await ask("bug")).error).toBe("plugin-trapped");
    await replica.logged(({ msg, id }) => id === "bug" && String(msg).includes("RuntimeError: too far"));
  });

  test("the http helper sends a body and reads the response", async () => {
    const reply = await request(nats, `rpc.${names.fetch}`, `${origin}/pot`, { "Rpc-Method": "why" });
    expect([reply.status, reply.text]).toEqual([418, 'POST {"asked": "why"}']);
  });

  test("a request that the policy does not allow is the caller's err, in words", async () => {
    const reply = await request(nats, `rpc.${names.fetch}`, "http://192.0.2.1/pot");
    expect(reply.error).toBe("plugin-error");
    expect(reply.text).toMatch(/^POST http:\/\/192\.0\.2\.1\/pot: \w|^the request was refused: \w/);
  });
});
