import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROJECT_FOLDER } from "../../../scripts/generated-file.ts";
import { parseConsumer } from "../../../src/config/consumer-document.ts";
import { createConsumerFile } from "../../../src/config/consumer-file.ts";
import { configError } from "../../../src/config/diagnostic.ts";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { loadPolicyDir } from "../../../src/config/policy-folder.ts";
import { levelsFromBits } from "../../../src/contract/access-levels.ts";

test("the example consumer group and its policies are valid and fit each other", async () => {
  const consumer = await createConsumerFile().load(join(PROJECT_FOLDER, "consumers/default.yaml"));
  if (consumer.kind === "invalid") throw configError(consumer.errors);
  const policies = await loadPolicyDir(join(PROJECT_FOLDER, "policy"));
  expect(policies.warnings).toEqual([]);
  expect(policies.warnOfUnused(consumer.value.plugins.map((plugin) => plugin.name))).toEqual([]);
  const allowed = consumer.value.plugins.map(({ name }) => [name, levelsFromBits(policies.policyFor(name).allow)]);
  expect(Object.fromEntries(allowed)).toEqual({
    "user-data-rust": ["key-value-read", "key-value-write"],
    "user-data-ts": ["key-value-read", "key-value-write"],
    echo: [],
  });
});

test.each([
  ["docs/policy.md", (text: string) => parsePolicy(text, "policy/user-data.yaml")],
  ["docs/consumers.md", (text: string) => parseConsumer(text, "consumers/default.yaml")],
])("the examples in %s are valid", async (page, parse) => {
  const text = await readFile(join(PROJECT_FOLDER, page), "utf8");
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, example = ""]) => parse(example));
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(example).toMatchObject({ kind: "valid", warnings: [] });
});
