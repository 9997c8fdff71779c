/**
 * The pages for languages whose plugin is a counter, each followed from an empty folder, and what the plugin answers on both
 * engines.
 */

import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { copyPackageBinaries } from "../../scripts/build/package-binaries.ts";
import { failure } from "../harness/failure.ts";
import { consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type Reply, request } from "../harness/request.ts";
import { describeWith, type ToolchainName } from "./toolchains.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

interface Counter {
  readonly toolchains: readonly ToolchainName[];
  readonly page: string;
  /** What it says of a payload that is no number. */
  readonly noNumber: RegExp;
  /** A method whose exception nobody catches, if it has one. */
  readonly uncaught?: string;
}

const COUNTERS: Readonly<Record<string, Counter>> = {
  kotlin: { page: "docs/write-a-plugin/kotlin.md", toolchains: ["java", "python"], noNumber: /sieben ☃/ },
  cpp: {
    page: "docs/write-a-plugin/cpp-exceptions.md",
    toolchains: ["python"],
    noNumber: /^not a number: sieben ☃$/,
    uncaught: "throw",
  },
  zig: { page: "docs/write-a-plugin/zig.md", toolchains: ["python"], noNumber: /^not a number: sieben ☃$/ },
  java: {
    page: "docs/write-a-plugin/java.md",
    toolchains: ["java", "python"],
    noNumber: /^String contains digits out of radix 10: sieben ☃$/,
  },
  lua: { page: "docs/write-a-plugin/lua.md", toolchains: ["cargo", "python"], noNumber: /^not a number: sieben ☃$/ },
  d: { page: "docs/write-a-plugin/d.md", toolchains: ["ldc", "python"], noNumber: /^not a number: sieben ☃$/ },
  assemblyscript: {
    page: "docs/write-a-plugin/assemblyscript.md",
    toolchains: ["python"],
    noNumber: /^not a number: sieben ☃$/,
  },
};

/** The cheapest one at each run; with AUTHORS=1 all whose compilers are there, which takes minutes. */
const WANTED = Object.entries(COUNTERS).filter(
  ([language]) => language === "assemblyscript" || process.env["AUTHORS"] === "1",
);

for (const [language, { page, toolchains, noNumber, uncaught }] of WANTED) {
  await describeWith(toolchains, `by its page, in ${language},`, () => {
    let workplace: Workplace;

    beforeAll(async () => {
      await copyPackageBinaries();
      workplace = await createWorkplace();
      await workplace.follow(page);
    });

    afterAll(async () => {
      await workplace[Symbol.asyncDispose]();
    });

    describe.each(["linker", "jco"] as const)("on the %s engine, a request", (engine) => {
      const name = uniqueName(language);
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
        request(nats, `rpc.${name}`, payload, { "Rpc-Method": method, "Rpc-Id": "counter" });

      test("is answered from the store", async () => {
        expect([await ask("add", "5"), await ask("add", "7"), await ask("get")].map(({ text }) => text)).toEqual([
          "5",
          "12",
          "12",
        ]);
      });

      test("is in the log, at the level of the plugin's line", async () => {
        await ask("get");
        const line = await replica.logged(({ source, msg }) => source === "log" && String(msg).startsWith("a request"));
        expect(line).toMatchObject({ plugin: name, level: "info" });
      });

      test("is answered with 404 for a method that is not there", async () => {
        expect(await ask("subtract")).toMatchObject({ status: 404, text: "there is no method subtract" });
      });

      test("is answered with the message of an exception, in any script", async () => {
        const reply = await ask("add", "sieben ☃");
        const expected = failure("plugin-error", "counter", { "Nats-Service-Error": expect.any(String) });
        expect(reply.headers).toMatchObject(expected);
        expect(reply.text).toMatch(noNumber);
      });

      if (uncaught !== undefined)
        test("is a trap where nobody catches the exception", async () => {
          expect((await ask(uncaught)).headers).toEqual(failure("plugin-trapped", "counter"));
        });

      test("is answered as often as one likes", async () => {
        const replies = await Promise.all(Array.from({ length: 200 }, () => ask("get")));
        expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(["12"]));
      });
    });
  });
}
