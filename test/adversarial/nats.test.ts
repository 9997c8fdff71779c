import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { cpuMsOf } from "../harness/processes.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { until } from "../harness/until.ts";
import { openRawPublisher, type RawPublisher } from "./raw-publisher.ts";
import { openScene, type Scene } from "./scene.ts";

describe("a hostile NATS publisher", () => {
  let scene: Scene<"target">;
  let publisher: RawPublisher;
  const subject = () => `rpc.${scene.name("target")}`;

  beforeAll(async () => {
    scene = await openScene({
      actors: { target: { component: COMPONENTS.gauntlet("read-write"), policy: READ_WRITE } },
    });
    publisher = await openRawPublisher(inject("natsUrl"));
  });

  afterAll(async () => {
    await publisher[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
  });

  /** Sends a message as it is and waits for its one reply. */
  async function exchange(headers: string | Uint8Array, payload = ""): Promise<Record<string, string>> {
    const inbox = `_INBOX.${crypto.randomUUID()}`;
    const subscription = scene.nats.subscribe(inbox, { max: 1, timeout: 60_000 });
    await scene.nats.flush();
    await publisher.publish({ subject: subject(), reply: inbox, headers, payload });
    for await (const message of subscription) {
      return Object.fromEntries(
        [...(message.headers?.keys() ?? [])].map((key) => [key, message.headers?.get(key) ?? ""]),
      );
    }
    throw new Error("no reply came");
  }

  async function isConnectedThroughout(work: () => Promise<void>): Promise<void> {
    const losses = () =>
      scene.replica.records.filter(({ msg }) => msg === "the connection to NATS is lost; reconnecting");
    const before = losses().length;
    await work();
    await scene.unharmed();
    expect(losses()).toHaveLength(before);
  }

  test("a header name that is none costs its own request and not the connection", async () => {
    await isConnectedThroughout(async () => {
      expect(await exchange("bad name: x\r\nRpc-Method: echo", "hi")).toMatchObject({ "Rpc-Error": "bad-request" });
    });
  });

  test("a megabyte of headers costs its own request and no time of the host", async () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `h${index.toString(36)}:`).join("\r\n");
    await isConnectedThroughout(async () => {
      const before = await cpuMsOf(scene.replica.pid);
      expect(await exchange(names)).toMatchObject({ "Rpc-Error": "bad-request" });
      expect((await cpuMsOf(scene.replica.pid)) - before).toBeLessThan(1_000);
    });
  });

  describe("a reply subject that would make the host publish where it must not", () => {
    test.each(["rpc.TARGET", "rpc.TARGET.echo", "rpc", "$SYS.REQ.SERVER.PING", "$SRV.PING", "a.>", "a.*"])(
      "%s: nothing is published, and it is counted",
      async (template) => {
        const reply = template.replace("TARGET", scene.name("target"));
        const seen: string[] = [];
        const listener = scene.nats.subscribe(reply.startsWith("rpc") ? reply : "a.*", {
          callback: (_error, message) => {
            // The request itself may arrive here, too; a reply has a status or an error.
            if (["Rpc-Status", "Rpc-Error"].some((name) => message.headers?.has(name) === true))
              seen.push(message.subject);
          },
        });
        await scene.nats.flush();
        const before = await refused();
        await publisher.publish({ subject: subject(), reply, headers: "Rpc-Method: echo", payload: "x" });
        await until(async () => (await refused()) === before + 1, { what: "the message is counted" });
        await scene.unharmed();
        listener.unsubscribe();
        expect(seen).toEqual([]);
      },
    );

    test("on discovery: nothing is published either", async () => {
      const seen: string[] = [];
      const subjects = [`rpc.${scene.name("target")}`, "$SRV.STATS"];
      const listeners = subjects.map((to) =>
        scene.nats.subscribe(to, {
          callback: (_error, message) => void seen.push(`${message.subject} ${message.data.length}`),
        }),
      );
      await scene.nats.flush();
      const before = await refused();
      for (const reply of subjects) await publisher.publish({ subject: "$SRV.PING", reply });
      await scene.unharmed();
      for (const listener of listeners) listener.unsubscribe();
      expect(seen).toEqual([]);
      expect(await refused()).toBe(before);
    });

    async function refused(): Promise<number> {
      const metrics = await (await fetch(`${scene.replica.healthUrl}/metrics`)).text();
      const counter = `network_host_dropped_messages_total{plugin="${scene.name("target")}",reason="reply-subject-refused"} `;
      return Number(new RegExp(`^${RegExp.escape(counter)}(\\d+)$`, "m").exec(metrics)?.[1] ?? 0);
    }
  });

  describe("what is too large, no UTF-8 or empty is a typed error", () => {
    const id = "Rpc-Id: x\r\n";

    test.each([
      ["a method that is no UTF-8", Buffer.concat([Buffer.from("Rpc-Method: "), Buffer.of(0xff, 0xfe)])],
      ["an id that is no UTF-8", Buffer.concat([Buffer.from("Rpc-Id: "), Buffer.of(0xc3, 0x28)])],
      ["an id with terminal escapes", "Rpc-Id: \u001b[31mred\u001b[0m"],
      ["an empty id", "Rpc-Id: "],
      ["an id of a kilobyte", `Rpc-Id: ${"x".repeat(1_024)}`],
      ["a method of a kilobyte", `${id}Rpc-Method: ${"m".repeat(1_024)}`],
      ["a time-out that is no number", `${id}Rpc-Timeout-Ms: 1e3`],
      ["a time-out below nothing", `${id}Rpc-Timeout-Ms: -1`],
    ])("%s", async (_what, headers) => {
      await isConnectedThroughout(async () => {
        const reply = await exchange(headers, "hi");
        expect(reply).toMatchObject({ "Rpc-Error": "bad-request", "Nats-Service-Error-Code": "400" });
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(JSON.stringify(Object.values(reply))).not.toMatch(/[\u0000-\u001f]/);
      });
    });

    test("headers without a name, a value or an end are answered, and the next request is served", async () => {
      await isConnectedThroughout(async () => {
        for (const headers of [":", ": x", "Rpc-Method", "\r\n\r\n", "\0: x", "a: b\nc: d", Buffer.of(0xff, 0xff)]) {
          expect((await exchange(headers))["Rpc-Error"]).toMatch(/^(bad-request|plugin-error)$/);
        }
      });
    });

    test("a payload beyond the plugin's limit", async () => {
      const nats = scene.nats;
      const max = nats.info?.max_payload ?? 0;
      const reply = await scene.call("target", "big-reply", String(max * 2));
      expect(reply.error).toBe("reply-too-large");
      await scene.unharmed();
    });

    test("an empty message", async () => {
      const reply = await request(scene.nats, subject());
      expect([reply.error, reply.text]).toEqual(["plugin-error", "no such method"]);
      await scene.unharmed();
    });

    test("a subject with more tokens than the protocol has is nobody's", async () => {
      await expect(request(scene.nats, `${subject()}.a.b`)).rejects.toThrow();
      await scene.unharmed();
    });

    test("a method in the subject that would steer a terminal is one escaped record", async () => {
      const inbox = `_INBOX.${crypto.randomUUID()}`;
      await publisher.publish({ subject: `${subject()}.\u001b[31mred`, reply: inbox });
      const record = await scene.replica.logged(({ method }) => String(method).includes("red"));
      expect(record["method"]).toBe("\\u{1b}[31mred");
      await scene.unharmed();
    });
  });
});

test("a dependency's error that holds a connection string is in no reply and no log record", async () => {
  const password = `secret-${crypto.randomUUID()}`;
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const port = portOf(gone);
  await new Promise((resolve) => gone.close(resolve));
  const url = `mongodb://root:${password}@127.0.0.1:${port}/db?authSource=admin`;
  const plugin = uniqueName("stored");
  const nats = await connect({ servers: inject("natsUrl") });
  await using replica = await startReplica({
    consumer: consumerFile({ group: "adversarial", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
    mongodbUrl: url,
    waitFor: "process",
  });
  await replica.logged(({ msg }) => msg === "ready");
  const reply = await request(nats, `rpc.${plugin}`, "user-data\nkey", { "Rpc-Method": "get" });
  await nats.close();
  expect([reply.error, reply.text]).toEqual(["plugin-error", expect.stringMatching(/^store-(unavailable|timeout): /)]);
  await replica.logged(({ msg }) => msg === "a store operation failed");
  for (const text of [
    reply.text,
    JSON.stringify(reply.headers),
    JSON.stringify(replica.records),
    replica.errorOutput,
  ]) {
    expect(text).not.toContain(password);
    expect(text).not.toContain(url);
  }
  expect(reply.text).not.toContain("127.0.0.1");
});

describe("a file of the cache that was edited by hand", () => {
  test.each(["component.js", "component.core.wasm", "manifest.json"])(
    "%s: is noticed, built anew, and an alarm",
    async (file) => {
      await using cache = await openFolder();
      const options = {
        actors: { cached: { component: COMPONENTS.echo } },
        replica: { args: ["--cache", cache.path] },
      };
      {
        await using first = await openScene(options);
        expect((await first.call("cached", "echo", "x")).text).toBe("x");
      }
      const digest = createHash("sha256")
        .update(await readFile(COMPONENTS.echo))
        .digest("hex");
      const names = await readdir(cache.path, { recursive: true });
      const path = names.find((name) => name.endsWith(join(digest, file))) ?? "";
      const stored = await readFile(join(cache.path, path));
      await writeFile(join(cache.path, path), Buffer.concat([stored, Buffer.from("\n// edited\n")]));
      await using second = await openScene(options);
      const alarm = await second.replica.logged(({ msg }) => String(msg).startsWith("ALARM: a cached artifact"));
      expect(alarm["plugin"]).toBe(second.name("cached"));
      expect((await second.call("cached", "echo", "y")).text).toBe("y");
      expect(await readFile(join(cache.path, path))).toEqual(stored);
      await second.unharmed();
    },
  );

  test("its record of the requested levels: what is no answer is asked for again", async () => {
    await using cache = await openFolder();
    const options = {
      actors: { cached: { component: COMPONENTS.gauntlet("write"), policy: { allow: ["key-value-write"] } } },
      replica: { args: ["--cache", cache.path] },
    };
    {
      await using first = await openScene(options);
      expect((await first.call("cached", "set", "user-data\nkey\nvalue")).status).toBe(200);
    }
    for (const name of await readdir(cache.path, { recursive: true }))
      if (name.endsWith(".levels")) await writeFile(join(cache.path, name), "0x7; all of them");
    await using second = await openScene(options);
    expect((await second.call("cached", "set", "user-data\nkey\nvalue")).status).toBe(200);
    await second.unharmed();
  });

  async function openFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
    const path = await mkdtemp(join(tmpdir(), "cache-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
