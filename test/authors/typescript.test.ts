/**
 * The npm package, packed and installed into an empty folder: the page for its authors, what the build says of mistakes, and
 * what both engines have at a request on a real replica.
 */

import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { consumerFile, policyFiles, projectFile, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { packPackage } from "./packed-command.ts";
import { describeWith } from "./toolchains.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

let packed: string;
let packages: Readonly<Record<string, string>>;
let workplace: Workplace;

await describeWith(["python"], "the package for TypeScript", () => {
  // The page installs the package; what comes after it works in the same folder.
  beforeAll(async () => {
    packed = await mkdtemp(join(tmpdir(), "packed-"));
    packages = { "network-plugin-api": await packPackage(projectFile("sdk/typescript"), packed) };
    workplace = await createWorkplace({ packages });
    await workplace.follow("docs/write-a-plugin/typescript.md");
  });

  afterAll(async () => {
    await workplace[Symbol.asyncDispose]();
    await rm(packed, { recursive: true, force: true });
  });

  const HANDLER = `export const handler = {
  getAccessLevels() { return {}; },
  handleRequest() { return { status: 200, body: new Uint8Array() }; },
};
`;

  describe("the page and the package", () => {
    test("the page's commands made both plugins, and the package is what was packed", async () => {
      const { version } = JSON.parse(
        await readFile(join(workplace.folder, "node_modules/network-plugin-api/package.json"), "utf8"),
      ) as { version: string };
      expect(version).toBe("1.0.0");
      // Dependencies of other versions than the author's are below the package.
      const packed = await workplace.sh("ls --ignore=node_modules node_modules/network-plugin-api");
      expect(packed.trim().split("\n")).toEqual(
        ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "tsconfig.plugin.json", "types", "wit"].sort(),
      );
      expect((await readFile(join(workplace.folder, "fetch/plugin.wasm"))).length).toBeGreaterThan(5e6);
    });

    test("the package's README leads to a plugin, too", async () => {
      await using place = await createWorkplace({ packages });
      await place.follow("sdk/typescript/README.md");
      expect((await readFile(join(place.folder, "plugin.wasm"))).length).toBeGreaterThan(1e6);
    });

    test("types are true for the engine: null on QuickJS, undefined and async on StarlingMonkey", async () => {
      const common = `const value = new KeyValueStore("a").get("b");`;
      await workplace.sh("mkdir -p types && cp tsconfig.json types/");
      const check = async (source: string): Promise<string> => {
        await writeFile(join(workplace.folder, "types/plugin.ts"), source);
        return workplace.sh("cd types; npx tsc --noEmit -p . || true");
      };
      const quickjs = `import { KeyValueStore } from "network-plugin-api";\n${common}\n`;
      expect(await check(`${quickjs}export const none: Uint8Array | null = value;\n`)).toBe("");
      expect(await check(`${quickjs}export const none: Uint8Array | undefined = value;\n`)).toMatch(/null/);
      const starling = `import { KeyValueStore, type Handler } from "network-plugin-api/starlingmonkey";\n${common}\n`;
      expect(await check(`${starling}export const none: Uint8Array | undefined = value;\n`)).toBe("");
      const asynchronous = `handleRequest: async () => ({ status: 200, body: new Uint8Array() })`;
      const handler = `export const handler: Handler = { getAccessLevels: () => ({}), ${asynchronous} };\n`;
      expect(await check(`import type { Handler } from "network-plugin-api/starlingmonkey";\n${handler}`)).toBe("");
      expect(await check(`import type { Handler } from "network-plugin-api";\n${handler}`)).toMatch(/Promise/);
      expect(await check(`import "network-plugin-api";\nexport const url = new URL("x:");\n`)).toMatch(/URL/);
    });
  });

  describe("what the build says of a mistake", () => {
    const both = ["quickjs", "starlingmonkey"];

    test.each<[what: string, source: string, says: RegExp, engines?: readonly string[]]>([
      ["a type that is wrong", `const a: number = "x";\nconsole.log(a);\n`, /^mistake\.ts\(1,7\): error TS2322/m],
      ["a syntax error", `const a = ;\n`, /mistake\.ts:1:11/],
      [
        "an error at load",
        `function f() {\n  throw new Error("boom");\n}\nf();\n`,
        /^mistake\.ts:2:\d+: Error: boom$/m,
        both,
      ],
      [
        "a host's function at load",
        `import { log } from "network-plugin-api";\n\nlog("info", "x");\n`,
        /^mistake\.ts:3:1: local:network-host\/logging@1\.0\.0#log is called while the module is loaded/m,
        both,
      ],
      [
        "an interface that is misspelt",
        `import { log } from "local:network-host/loging@1.0.0";\nexport const l = log;\n`,
        /^mistake\.ts:1: the host has no local:network-host\/loging@1\.0\.0\. Did you mean local:network-host\/logging@1\.0\.0\?$/m,
      ],
      ["a module of Node", `import fs from "node:fs";\nexport const f = fs;\n`, /^mistake\.ts:1: node:fs is Node's/m],
      [
        "a package that is not there",
        `import x from "absent";\nexport const y = x;\n`,
        /^mistake\.ts:1: absent was not found/m,
      ],
      [
        "fetch on QuickJS",
        `\nexport const f = () => fetch("http://a");\n`,
        /^mistake\.ts:2: fetch cannot be had/m,
        ["quickjs"],
      ],
    ])("%s is said with its file and line", async (what, source, says, engines = ["quickjs"]) => {
      const handler = source.includes("const handler") ? "" : HANDLER;
      await writeFile(join(workplace.folder, "mistake.ts"), source + handler);
      await workplace.sh("mkdir -p mistakes && cp mistake.ts tsconfig.json mistakes/");
      for (const engine of engines) {
        const check = what.includes("type") ? "" : "--no-check";
        expect(
          await workplace.fails(`cd mistakes; npx network-plugin-api build mistake.ts ${check} --engine ${engine}`),
        ).toMatch(says);
      }
    });

    test("a module without a handler, and levels that the contract does not have, are explained in words", async () => {
      const build = async (source: string): Promise<string> => {
        await writeFile(join(workplace.folder, "mistake.js"), source);
        return workplace.fails("npx network-plugin-api build mistake.js --no-check");
      };
      expect(await build("export const x = 1;\n")).toMatch(/^mistake\.js exports no `handler`/m);
      const misspelt = HANDLER.replace("return {};", "return { keyValueReed: true };");
      expect(await build(misspelt)).toMatch(/getAccessLevels asks for keyValueReed, which is none of keyValueRead, /);
    });

    test("globals that the engine lacks, and imports without their level, are warned of", async () => {
      const uses = `import { KeyValueStore } from "network-plugin-api";\nexport const u = () => new URL(process.env.X);\n`;
      const opens = HANDLER.replace("return { status", 'new KeyValueStore("b"); u(); return { status');
      await writeFile(join(workplace.folder, "doubtful.js"), `console.log("loaded", [1]);\n${uses}${opens}`);
      const printed = await workplace.sh("npx network-plugin-api build doubtful.js --no-check");
      expect(printed).toMatch(/^said while it was loaded: loaded \[1\]$/m);
      expect(printed).toMatch(/^warning: doubtful\.js:3: QuickJS has no URL/m);
      expect(printed).toMatch(/^warning: doubtful\.js:3: process is Node's/m);
      expect(printed).toMatch(/^warning: it imports the key-value store, but/m);
    });
  });

  /** One plugin for both engines: a method for each thing that authors count on. */
  const BATTERY = `import { KeyValueStore } from "network-plugin-api";

const encode = (value) => new TextEncoder().encode(JSON.stringify(value));

function inner() {
  throw new RangeError("too far");
}

const methods = {
  text: (vectors) => vectors.map((hex) => {
    const text = new TextDecoder().decode(Uint8Array.fromHex(hex));
    return [text, new TextEncoder().encode(text).toHex()];
  }),
  random: () => [Math.random(), Math.random(), crypto.randomUUID()],
  console: () => {
    console.log("plain", { a: [1, undefined] });
    console.warn("careful, %s of %d", "one", 2);
    console.error(new RangeError("far"));
    return null;
  },
  bug: () => inner(),
  text_thrown: () => { throw "no such user"; },
  denied: () => new KeyValueStore("b").get("k"),
  late: () => Promise.resolve(7),
  status: () => ({ whole: { status: 70000, body: new Uint8Array() } }),
  body: () => ({ whole: { status: 200, body: "text" } }),
};

export const handler = {
  getAccessLevels: () => ({}),
  handleRequest({ method, payload }) {
    const value = methods[method](JSON.parse(new TextDecoder().decode(payload)));
    if (value instanceof Promise) return value.then((body) => ({ status: 200, body: encode(body) }));
    return value?.whole ?? { status: 200, body: encode(value) };
  },
};
`;

  /** Each kind of broken UTF-8, and texts of one to four bytes a letter. */
  const VECTORS = (
    "/41/c3a9/e697a5/f09f9880/efbbbf41/ff41/c380e0/c0af/e080af/eda080/f4908080/" +
    "f0908041/e1a0c3a9/f0/f09f98/41f09f9880c3/80bf/efbfbd/f48fbfbf/feff"
  ).split("/");

  describe.each(["quickjs", "starlingmonkey"] as const)("a request on %s", (engine) => {
    const name = uniqueName(engine);
    let nats: NatsConnection;
    let replica: Replica;

    beforeAll(async () => {
      await writeFile(join(workplace.folder, "battery.js"), BATTERY);
      await workplace.sh(`npx network-plugin-api build battery.js --no-check --engine ${engine} -o ${engine}.wasm`);
      nats = await connect({ servers: inject("natsUrl") });
      replica = await startReplica({
        consumer: consumerFile({ group: name, plugins: { [name]: join(workplace.folder, `${engine}.wasm`) } }),
        policies: {},
      });
    });

    afterAll(async () => {
      await replica[Symbol.asyncDispose]();
      await nats.close();
    });

    const ask = async (method: string, value: unknown = null, id = method) =>
      request(nats, `rpc.${name}`, JSON.stringify(value), { "Rpc-Method": method, "Rpc-Id": id });

    test("UTF-8 is decoded and encoded as Node does it, broken bytes included", async () => {
      const reply = await ask("text", VECTORS);
      const expected = VECTORS.map((hex) => {
        const text = new TextDecoder().decode(Uint8Array.fromHex(hex));
        return [text, new TextEncoder().encode(text).toHex()];
      });
      expect(JSON.parse(reply.text)).toEqual(expected);
    });

    test("a long text goes through whole", async () => {
      const hex = new TextEncoder().encode("Grüße, 世界! 😀 ".repeat(4_000)).toHex();
      const [[, back]] = JSON.parse((await ask("text", [hex])).text) as [[string, string]];
      expect(back === hex).toBe(true);
    });

    test("random values differ within a request, and from request to request", async () => {
      const replies = await Promise.all(Array.from({ length: 6 }, async () => ask("random")));
      const values = replies.flatMap(({ text }) => JSON.parse(text) as unknown[]);
      expect(new Set(values).size).toBe(18);
    });

    test("console writes to the log, with levels and what values hold", async () => {
      await ask("console", null, "said");
      const said = await Promise.all(
        ["info", "warn", "error"].map(async (level) =>
          replica.logged(
            (record) => record["id"] === "said" && record["level"] === level && record["source"] === "log",
          ),
        ),
      );
      expect(said[0]?.["msg"]).toBe('plain {"a":[1,"undefined"]}');
      expect(said[1]?.["msg"]).toBe("careful, one of 2");
      expect(said[2]?.["msg"]).toMatch(/^RangeError: far/);
    });

    test("an error is the contract's err by its message, and is logged with its lines in the author's file", async () => {
      const reply = await ask("bug");
      expect(reply.error).toBe("plugin-error");
      expect(reply.text).toBe("too far");
      const record = await replica.logged(({ id, level }) => id === "bug" && level === "error");
      // The host writes a line break of a plugin's as two letters.
      const lines = String(record["msg"])
        .split(String.raw`\n`)
        .map((line) => line.trim());
      expect(lines.slice(0, 3)).toEqual([
        "RangeError: too far",
        expect.stringMatching(/^at inner \(battery\.js:6:\d+\)$/),
        expect.stringMatching(/^at bug \(battery\.js:21:\d+\)$/),
      ]);
    });

    test("a text that is thrown is the err as it is, and nothing is logged of it as an error", async () => {
      const reply = await ask("text_thrown");
      expect([reply.error, reply.text]).toEqual(["plugin-error", "no such user"]);
      await ask("random", null, "after");
      await replica.logged(({ msg, id }) => msg === "request" && id === "after");
      expect(replica.records.filter(({ id, source }) => id === "text_thrown" && source === "log")).toEqual([]);
    });

    test("what the host refuses reaches the caller in the host's words", async () => {
      const reply = await ask("denied");
      expect(reply.error).toBe("plugin-error");
      expect(reply.text).toMatch(/denied|allowed|grant/);
    });

    test("an invalid reply is reported as what it is", async () => {
      expect((await ask("status")).text).toMatch(/the status 70000, and not an integer from 0 to 65535/);
      expect((await ask("body")).text).toMatch(/a body that is no Uint8Array/);
    });

    test("a promise is awaited where the engine can, and else refused in words", async () => {
      const reply = await ask("late");
      if (engine === "starlingmonkey") expect(reply.text).toBe("7");
      else expect(reply.text).toMatch(/cannot be async on QuickJS/);
    });
  });

  describe("a request that sends requests", () => {
    let server: Server;

    beforeAll(async () => {
      server = createServer((_, response) => response.writeHead(418).end("a teapot")).listen(0, "127.0.0.1");
      await once(server, "listening");
    });

    afterAll(() => {
      server.close();
    });

    test("the page's plugin with fetch passes on what the server said", async () => {
      const { port } = server.address() as AddressInfo;
      const name = uniqueName("fetching");
      const origin = `http://127.0.0.1:${port}`;
      await using replica = await startReplica({
        consumer: consumerFile({ group: name, plugins: { [name]: join(workplace.folder, "fetch/plugin.wasm") } }),
        policies: policyFiles({ [name]: { allow: ["outbound-http"], hosts: [origin] } }),
      });
      const nats = await connect({ servers: inject("natsUrl") });
      try {
        const reply = await request(nats, `rpc.${name}`, `${origin}/pot`);
        expect([reply.status, reply.text], JSON.stringify(replica.records.at(-1))).toEqual([418, "a teapot"]);
      } finally {
        await nats.close();
      }
    });
  });
});
