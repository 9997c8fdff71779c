/** The page for authors in Kotlin, followed from an empty folder, and what its plugin answers on both engines. */

import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { copyPackageBinaries } from "../../scripts/build/package-binaries.ts";
import { failure } from "../harness/failure.ts";
import { consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

let workplace: Workplace;

beforeAll(async () => {
  await copyPackageBinaries();
  workplace = await createWorkplace();
  await workplace.follow("docs/write-a-plugin/kotlin.md");
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

describe.each(["linker", "jco"] as const)("a request to a plugin in Kotlin, on the %s engine,", (engine) => {
  const name = uniqueName("kotlin");
  let nats: NatsConnection;
  let replica: Replica;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    replica = await startReplica({
      consumer: consumerFile({ group: name, plugins: { [name]: join(workplace.folder, "build/plugin.wasm") } }),
      policies: policyFiles({ [name]: READ_WRITE }),
      env: { ENGINE: engine },
    });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
  });

  const ask = async (method: string, payload = ""): Promise<Reply> =>
    request(nats, `rpc.${name}`, payload, { "Rpc-Method": method, "Rpc-Id": "kotlin" });

  test("is answered from the store", async () => {
    expect([await ask("add", "5"), await ask("add", "7"), await ask("get")].map(({ text }) => text)).toEqual([
      "5",
      "12",
      "12",
    ]);
  });

  test("is answered with 404 for a method that is not there", async () => {
    expect(await ask("subtract")).toMatchObject({ status: 404, text: "there is no method subtract" });
  });

  test("is answered with the message of an exception, in any script", async () => {
    const reply = await ask("add", "sieben ☃");
    expect(reply.headers).toMatchObject(
      failure("plugin-error", "kotlin", { "Nats-Service-Error": expect.any(String) }),
    );
    expect(reply.text).toContain("sieben ☃");
  });

  test("is answered as often as one likes", async () => {
    const replies = await Promise.all(Array.from({ length: 200 }, () => ask("get")));
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(["12"]));
  });
});
