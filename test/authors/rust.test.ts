/**
 * What an author of a plugin in Rust does with the packed crate, without a network and without this repository.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { type LocalServer, startHttpServer } from "../harness/local-server.ts";
import { consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { describeWith } from "./toolchains.ts";
import { buildPlugin, type OfflineFolder, openOfflineFolder, TARGET_FOLDER } from "./packed-crate.ts";
import { stepsOf, tableAfter } from "./page.ts";

const [seed, client] = [uniqueName("seed"), uniqueName("client")];
let folder: OfflineFolder;
let page: string;
let nats: NatsConnection;
let server: LocalServer;
let replica: Replica;

await describeWith(["rust", "git"], "the crate", () => {
  beforeAll(async () => {
    folder = await openOfflineFolder();
    page = await readFile(projectFile("docs/write-a-plugin/rust.md"), "utf8");
    const rates = stepsOf(page).find(({ text }) => text.includes("struct Rates"));
    const withClient = `{ version = "1", features = ["http-client"] }`;
    const components = {
      [seed]: await buildPlugin(folder, "seed", await adaptedSeed()),
      [client]: await buildPlugin(folder, "rates", rates?.text ?? "", withClient),
    };
    nats = await connect({ servers: inject("natsUrl") });
    server = await startHttpServer((incoming, response) => {
      response.writeHead(207, { "content-type": "text/plain" });
      response.end(`${incoming.method} ${incoming.url} ${incoming.headers.accept}`);
    });
    replica = await startReplica({
      consumer: consumerFile({ group: "authors-rust", plugins: components }),
      policies: policyFiles({
        [seed]: READ_WRITE,
        [client]: { allow: ["outbound-http"], hosts: [`http://127.0.0.1:${server.port}`] },
      }),
    });
  });

  afterAll(async () => {
    await replica?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await nats?.close();
    await folder?.[Symbol.asyncDispose]();
  });

  test("the crate is packed from a clean tree, with the contract and without what only its maintainers need", () => {
    expect(folder.packed.toSorted()).toEqual(
      expect.arrayContaining(["Cargo.toml", "CHANGELOG.md", "LICENSE", "README.md", "src/lib.rs", "wit/world.wit"]),
    );
    expect(folder.packed.filter((file) => file.startsWith("wit/deps/http/"))).toHaveLength(3);
    expect(folder.packed.filter((file) => /target|\.gitignore/.test(file))).toEqual([]);
  });

  test("the design's plugin, with the changes that the page lists, answers over NATS", async () => {
    const reply = await request(nats, `rpc.${seed}.append`, "alpha");
    expect([reply.error, reply.status, reply.text]).toEqual([undefined, 200, "Successfully processed"]);
  });

  test("a plugin with the crate's HTTP client replies with what a server answers", async () => {
    const reply = await request(nats, `rpc.${client}.get`, `http://127.0.0.1:${server.port}/a?b=c#d`);
    expect([reply.error, reply.status, reply.text]).toEqual([undefined, 207, "GET /a?b=c text/plain"]);
  });

  test("what the client is refused is the plugin's error, by the name that the interface has for it", async () => {
    const refused = await request(nats, `rpc.${client}.get`, "http://127.0.0.1:1/");
    expect([refused.error, refused.text]).toEqual(["plugin-error", expect.stringContaining("HTTP-request-denied")]);
    const invalid = await request(nats, `rpc.${client}.get`, "ftp://127.0.0.1/");
    expect([invalid.error, invalid.text]).toEqual(["plugin-error", expect.stringContaining("its URL is not valid")]);
  });

  test("a plugin without HTTP needs none of its bindings", async () => {
    const source = await adaptedSeed();
    const without = `{ version = "1", default-features = false }`;
    const component = await buildPlugin(folder, "lean", source, without);
    const { imports } = JSON.parse(
      await run(process.execPath, [join(ROOT, "src/main.ts"), "inspect", component, "--json"], { timeoutMs: 120_000 }),
    ) as { imports: string[] };
    expect(imports).toContain("local:network-host/key-value-store@1.0.0");
    const uses = `#[allow(unused)] use network_plugin_api::bindings::wasi;\n${source}`;
    await expect(buildPlugin(folder, "lean_http", uses, without)).rejects.toThrow(/no `wasi` in `bindings`/);
  });

  if (process.env["AUTHORS"] === "1")
    test("the crate's own tests pass, with all features", async () => {
      const args = ["test", "--locked", "--all-features", "--manifest-path", projectFile("sdk/rust/Cargo.toml")];
      const output = await run("cargo", args, { timeoutMs: 1_100_000, env: { CARGO_TARGET_DIR: TARGET_FOLDER } });
      expect(output).toMatch(/test result: ok\. [1-9]\d* passed; 0 failed/);
    });
});

/** The design's plugin with the changes that the page lists, and no other. */
async function adaptedSeed(): Promise<string> {
  let source = await readFile(projectFile("test/authors/seed/lib.rs"), "utf8");
  for (const [before = "", after = ""] of tableAfter(page, "From code that was written against `bindings`")) {
    const [from = "", ...further] = codeIn(before);
    const whole = new RegExp([from, ...further].map((code) => RegExp.escape(code)).join("\\s*"));
    expect(source).toMatch(whole);
    source = source.replace(whole, codeIn(after).join(""));
  }
  return source;
}

function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
