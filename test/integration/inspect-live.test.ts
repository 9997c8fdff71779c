import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { connect } from "nats";
import { expect, inject, test } from "vitest";
import { startHttpServer } from "../harness/local-server.ts";
import { COMPONENTS, consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

const run = promisify(execFile);

test("inspect --live shows what the replicas let a plugin use, and what is granted and never used", async () => {
  const plugin = uniqueName("live");
  const component = COMPONENTS.gauntlet("read-write");
  const options = {
    consumer: consumerFile({ group: "live", plugins: { [plugin]: component } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
  };
  await using first = await startReplica(options);
  await using second = await startReplica(options);
  const nats = await connect({ servers: inject("natsUrl") });
  for (let index = 0; index < 5; index += 1)
    await request(nats, `rpc.${plugin}`, "user-data\nkey", { "Rpc-Method": "get" });
  await nats.close();

  const inspect = async (...more: string[]): Promise<string> => {
    const args = ["inspect", component, "--plugin", plugin, "--policy", `${first.folder}/policy`, "--live", ...more];
    const flags = ["--nats", inject("natsUrl"), "--cache", inject("artifactCache")];
    return (await run(process.execPath, [projectFile("src/main.ts"), ...args, ...flags])).stdout;
  };
  expect(JSON.parse(await inspect("--json"))).toMatchObject({
    replicas: 2,
    levels: [
      { level: "key-value-read", declared: true, imported: true, granted: true, used: 5 },
      { level: "key-value-write", declared: true, imported: true, granted: true, used: 0 },
      { level: "outbound-http", declared: false, imported: false, granted: false, used: 0 },
    ],
  });
  const text = await inspect();
  expect(text).toContain("  bucket user-data  5 reads, 0 writes\n");
  expect(text).toContain("  key-value-read   yes       yes       yes      5\n");
  expect(text).toContain("key-value-write is granted and has not been used so far");
  expect(await second.isReady()).toBe(true);
});

test("the smallest policy of inspect --live names what was used, and a replica under it serves the same", async () => {
  const [store, fetcher] = [uniqueName("store"), uniqueName("fetcher")];
  const shared = COMPONENTS.gauntlet("read-write");
  const caller = projectFile("test/components/fetcher.wasm");
  await using server = await startHttpServer((_, response) => response.end("hello"));
  const target = `http://localhost:${server.port}`;
  const nats = await connect({ servers: inject("natsUrl") });
  const plugins = { [store]: shared, [fetcher]: caller };
  const consumer = consumerFile({ group: "used", plugins });
  const use = async (): Promise<string[]> => {
    const written = await request(nats, `rpc.${store}.set`, "orders\nkey\nvalue");
    const read = await request(nats, `rpc.${store}.get`, "orders\nkey");
    const fetched = await request(nats, `rpc.${fetcher}.http-full`, `0\nlocalhost:${server.port}\n/\nx-from\nc\n\n`);
    return [written, read, fetched].map(({ error, text }) => error ?? text);
  };
  const policies: Record<string, string> = {};
  {
    await using replica = await startReplica({
      consumer,
      policies: policyFiles({
        [store]: { ...READ_WRITE, buckets: { shared: { orders: `orders-${store}`, invoices: "invoices" } } },
        [fetcher]: { allow: ["outbound-http"], hosts: ["https://*", target, "http://*:1"] },
      }),
    });
    expect(await use()).toEqual(["", "value", "hello"]);
    // Whether there is such a host does not matter: the policy has to let it be asked for.
    await request(nats, `rpc.${fetcher}.http-full`, "0\nMy_Service.:1\n/\nx-from\nc\n\n", {}, 30_000);
    for (const [plugin, component] of Object.entries(plugins)) {
      const flags = ["--nats", inject("natsUrl"), "--cache", inject("artifactCache"), "--live", "--print-policy"];
      const args = [projectFile("src/main.ts"), "inspect", component, "--plugin", plugin, ...flags];
      policies[`${plugin}.yaml`] = (await run(process.execPath, args)).stdout;
    }
    expect(await replica.isReady()).toBe(true);
  }
  expect(policies[`${store}.yaml`]).toContain(
    `buckets:\n#   private: [user-data]\n  shared:\n    orders: orders-${store}\n`,
  );
  expect(policies[`${fetcher}.yaml`]).toContain(`hosts:\n  - { target: "${target}", methods: [GET] }\n`);
  expect(policies[`${fetcher}.yaml`]).toContain('  - { target: "http://my_service:1", methods: [GET] }\n');
  await using _ = await startReplica({ consumer, policies });
  expect(await use()).toEqual(["", "value", "hello"]);
  await nats.close();
});
