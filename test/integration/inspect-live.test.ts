import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { connect } from "nats";
import { expect, inject, test } from "vitest";
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
  expect(text).toContain("  key-value-read   yes       yes       yes      5\n");
  expect(text).toContain("key-value-write is granted and was never used so far");
  expect(await second.isReady()).toBe(true);
});
