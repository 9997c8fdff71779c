import { glob, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { projectFile } from "../../harness/plugins.ts";

test("docs/metrics.md has a heading for every metric of the source, and for no other one", async () => {
  const named = new Set<string>();
  for await (const path of glob(["src/telemetry/*.ts", "src/capabilities/*/definition.ts"], {
    cwd: projectFile("."),
  })) {
    const source = await readFile(projectFile(path), "utf8");
    for (const [name] of source.matchAll(/\bnetwork_host_[a-z_]+\b/g)) named.add(name);
  }
  const page = await readFile(projectFile("docs/metrics.md"), "utf8");
  const headings = page.match(/^### network_host_.*$/gm)?.join(" ") ?? "";
  const documented = new Set(headings.match(/network_host_[a-z_]+/g));
  expect(named.size).toBeGreaterThan(20);
  expect([...documented].toSorted()).toEqual([...named].toSorted());
});
