import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type PlanFolders, planOf, readReplicaConfig } from "../../../src/app-config.ts";
import { DEFAULT_REPLICA_LIMITS } from "../../../src/contract/limits.ts";

test("each plugin is compiled within the bounds that the consumer file sets for the replica", async () => {
  const folder = await mkdtemp(join(tmpdir(), "replica-plan-"));
  try {
    const path = join(folder, "consumer.yaml");
    const files: PlanFolders = {
      cacheDir: folder,
      consumer: { kind: "file", path },
      policy: { folder: join(folder, "policy"), presence: "required" },
    };
    await mkdir(files.policy.folder);
    const text = (replica: string): string =>
      `group: g\nplugins:\n  - { name: a, component: a.wasm }\n  - { name: b, component: b.wasm }\n${replica}`;
    for (const [replica, compilation] of [
      ["", { componentBytes: DEFAULT_REPLICA_LIMITS.componentBytes, compileMs: DEFAULT_REPLICA_LIMITS.compileMs }],
      [
        "replica: { componentBytes: 100MiB, compileMs: 90000 }\n",
        { componentBytes: 100 * 1024 * 1024, compileMs: 90_000 },
      ],
    ] as const) {
      await writeFile(path, text(replica));
      const { specs } = planOf(await readReplicaConfig(files), files);
      expect(specs).toMatchObject([{ compilation }, { compilation }]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
