import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseDocument } from "yaml";
import { writeReplicaFiles } from "../../../bench/replicas/replica.ts";

test("a replica's files say what each plugin may do and which limits are its own", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bench-replica-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files = await writeReplicaFiles(
    "bench",
    [
      { name: "one", component: "/a b/one.wasm", allow: [] },
      {
        name: "two",
        component: "/two.wasm",
        allow: ["key-value-read"],
        hosts: ["http://127.0.0.1:1"],
        limits: { runners: 2 },
      },
    ],
    folder,
  );
  const contentOf = async (path: string): Promise<unknown> => parseDocument(await readFile(path, "utf8")).toJS();
  expect(await contentOf(files.consumer)).toEqual({
    group: "bench",
    plugins: [
      { name: "one", component: "/a b/one.wasm" },
      { name: "two", component: "/two.wasm" },
    ],
  });
  expect(await contentOf(join(files.policies, "one.yaml"))).toEqual({ plugin: "one", allow: [] });
  expect(await contentOf(join(files.policies, "two.yaml"))).toEqual({
    plugin: "two",
    allow: ["key-value-read"],
    hosts: ["http://127.0.0.1:1"],
    limits: { runners: 2 },
  });
});
