/**
 * The npm package for callers, packed and installed into an empty folder: its README word for word, and its types in a
 * program of TypeScript.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMPONENTS, consumerFile, projectFile } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type OwnServer, startNatsServer } from "../harness/server.ts";
import { packPackage } from "./packed-command.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

/** What a caller's compiler must accept, and what it must not. */
const TYPED = `import { connect } from "@nats-io/transport-node";
import { type CallOptions, ERROR_CODES, type ErrorCode, isCallError, PluginClient, type Reply } from "network-host-client";

const connection = await connect({ servers: process.env["NATS_URL"] ?? "" });
const options: CallOptions = { timeoutMs: 10_000, signal: AbortSignal.timeout(60_000), isIdempotent: true };
const client = new PluginClient(connection);
const reply: Reply = await client.call("echo", "say", new Uint8Array([104, 105]), options);
const status: number = reply.status;
const code: ErrorCode = "overloaded";
console.log(status, reply.text(), ERROR_CODES[code].number);
// @ts-expect-error there is no such code
const none: ErrorCode = "no-such-code";
// @ts-expect-error a value has to be made JSON
await client.call("echo", "say", { a: 1 }).catch((error: unknown) => console.log(isCallError(error), none));
await connection.close();
`;

describe("the package for callers", () => {
  let archives: string;
  let server: OwnServer;
  let replica: Replica;
  let workplace: Workplace;

  beforeAll(async () => {
    archives = await mkdtemp(join(tmpdir(), "client-"));
    server = await startNatsServer();
    replica = await startReplica({
      natsUrl: server.url,
      consumer: consumerFile({ group: "client", plugins: { echo: COMPONENTS.echo } }),
      policies: {},
    });
    const client = await packPackage(projectFile("sdk/client"), archives);
    workplace = await createWorkplace({
      env: { NATS_URL: server.url },
      packages: { "network-host-client": client },
      command: "sources",
    });
    await workplace.follow("sdk/client/README.md");
  });

  afterAll(async () => {
    await workplace?.[Symbol.asyncDispose]();
    await replica?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await rm(archives, { recursive: true, force: true });
  });

  test("brings no second NATS client, and no package but itself", async () => {
    const listed = await workplace.sh("npm ls --all --parseable");
    const names = listed.split("\n").flatMap((path) => path.split("/node_modules/").slice(1));
    expect(names.filter((name) => !name.startsWith("@nats-io/")).sort()).toEqual(["network-host-client", "tweetnacl"]);
    expect(names.filter((name) => name === "@nats-io/nats-core")).toHaveLength(1);
  });

  test("has types that TypeScript takes, those of its declarations included", async () => {
    await writeFile(join(workplace.folder, "typed.ts"), TYPED);
    const flags = "--noEmit --strict --target es2022 --module nodenext --types node";
    const types = `--typeRoots ${projectFile("node_modules/@types")}`;
    const tsc = projectFile("node_modules/.bin/tsc");
    const printed = await workplace.sh(`mv typed.ts typed.mts; "${tsc}" ${flags} ${types} typed.mts; node typed.mts`);
    expect(printed).toMatch(/^200 hi 429$/m);
  });
});
