import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { run } from "../../../src/local-nats/commands.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "commands-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test("a program that obtains a server does not get the host's secrets, and all else", async () => {
  for (const name of ["NATS_TOKEN", "MONGODB_URL", "SIGNING_KEY_PASSWORD", "PIP_INDEX_URL"]) vi.stubEnv(name, "s3cret");
  const file = join(folder, "env");
  await run("sh", ["-c", 'env > "$OUTPUT"'], { timeoutMs: 60_000, env: { OUTPUT: file } });
  const lines = (await readFile(file, "utf8")).split("\n");
  expect(lines.filter((line) => line.endsWith("=s3cret"))).toEqual(["PIP_INDEX_URL=s3cret"]);
});
