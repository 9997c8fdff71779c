import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConsumerDocument, parseConsumer } from "../../../src/config/consumer-document.ts";
import { createConsumerFile } from "../../../src/config/consumer-file.ts";
import { configError } from "../../../src/config/diagnostic.ts";

async function load(file: string): Promise<ConsumerDocument> {
  const parsed = await createConsumerFile().load(file);
  if (parsed.kind === "invalid") throw configError(parsed.errors);
  return parsed.value;
}

describe("loading a consumer file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "network-host-consumer-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test("finds components relative to the file", async () => {
    const file = join(folder, "good.yaml");
    await writeFile(file, "group: g\nplugins: [{ name: a, component: ../a.wasm }]\n");
    const { plugins } = await load(file);
    expect(plugins.map((plugin) => plugin.component)).toEqual([{ kind: "file", path: resolve(folder, "../a.wasm") }]);
  });

  test("fails with config-invalid and a line for every problem", async () => {
    const file = join(folder, "bad.yaml");
    await writeFile(file, "group: a b\nplugin: []\n");
    await expect(load(file)).rejects.toMatchObject({
      name: "HostError",
      code: "config-invalid",
      message: [
        `${file}:1:1: plugins is missing; write a list of one or more plugins, each with name and component`,
        `${file}:1:8: group: "a b" cannot be used; write the queue group's name: 1 to 63 of the characters a-z, A-Z, 0-9, '_' and '-'`,
        `${file}:2:1: unknown key "plugin"; did you mean "plugins"?`,
      ].join("\n"),
    });
  });

  test("fails with config-invalid where there is no file", async () => {
    const file = join(folder, "none.yaml");
    await expect(load(file)).rejects.toMatchObject({
      code: "config-invalid",
      message: `${file}:1:1: cannot be read (it does not exist)`,
    });
  });

  test("parses a large one on a thread of its own, with the same result", async () => {
    const file = join(folder, "large.yaml");
    const lines = Array.from({ length: 5_000 }, (_, index) => `  - { name: p${index}, component: p.wasm }\n`);
    const text = `group: g\nplugins:\n${lines.join("")}`;
    await writeFile(file, text);
    const [here, own] = await cpuMsOf(async () => parseConsumer(text, file));
    const [there, read] = await cpuMsOf(() => createConsumerFile().load(file));
    expect(read).toEqual(own);
    expect(read).toMatchObject({ kind: "valid", value: { plugins: { length: 5_000 } } });
    expect(there, `ms of this thread's time, ${here} where it parses itself`).toBeLessThan(here / 2);
  });

  test("tells every problem of a large one with its place", async () => {
    const file = join(folder, "large-and-bad.yaml");
    const lines = Array.from({ length: 5_000 }, (_, index) => `  - { name: p${index % 4_999}, component: p.wasm }\n`);
    await writeFile(file, `group: g\nplugins:\n${lines.join("")}`);
    await expect(load(file)).rejects.toMatchObject({
      code: "config-invalid",
      message: `${file}:5002:13: plugins[4999].name: "p0" cannot be used; it is in the list twice; keep one`,
    });
  });
});

/** Milliseconds of processor time that this thread took for it, and its result. */
async function cpuMsOf<Result>(work: () => Promise<Result>): Promise<[ms: number, result: Result]> {
  const before = process.threadCpuUsage();
  const result = await work();
  const { user, system } = process.threadCpuUsage(before);
  return [(user + system) / 1_000, result];
}
