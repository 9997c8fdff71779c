import { access } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withSchemaOfPackage } from "../../../src/cli/schema-line.ts";
import { ROOT } from "../../../scripts/lib/project.ts";

const POLICY = "# yaml-language-server: $schema=../schemas/policy.schema.json\nplugin: echo\n";

test("a policy's schema is named by where it is from policy/, or by its whole path where that is far away", async () => {
  expect(withSchemaOfPackage(POLICY, ROOT)).toBe(POLICY);
  // As if this package were the one in node_modules of a project two folders up.
  expect(withSchemaOfPackage(POLICY, join(ROOT, ".."))).toContain(`$schema=../${ROOT.split("/").at(-1)}/schemas/`);
  const far = withSchemaOfPackage(POLICY, "/somewhere/else");
  const [, path = ""] = /\$schema=(\S+)/.exec(far) ?? [];
  expect(path).toBe(join(ROOT, "schemas/policy.schema.json"));
  await access(path);
});
