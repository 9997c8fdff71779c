import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { projectFile } from "../../harness/plugins.ts";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

it("recipes run npm packages by their whole names, since a part of one may be somebody else's package", () => {
  const manifest = JSON.parse(readFileSync(projectFile("package.json"), "utf8")) as Manifest;
  const { name: authors } = JSON.parse(readFileSync(projectFile("sdk/typescript/package.json"), "utf8")) as Manifest;
  const packages = new Set([
    manifest.name,
    authors,
    ...Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
  ]);
  const pages = globSync(["*.md", "docs/**/*.md", "examples/*.md", "sdk/*/*.md", "test/**/*.md"], {
    cwd: projectFile("."),
  });
  const named = pages.flatMap((page) =>
    [...readFileSync(projectFile(page), "utf8").matchAll(/\bnpx (?:-y |--yes )?(@?[\w/.-]+)/g)].map(([, name]) => name),
  );
  expect(named).toContain("@bytecodealliance/jco");
  expect(named.filter((name) => name === undefined || !packages.has(name))).toEqual([]);
});

it("the declarations for QuickJS have its `null` where nothing was found", () => {
  const file = "examples/user-data-ts/generated/interfaces/local-network-host-key-value-store.d.ts";
  expect(readFileSync(projectFile(file), "utf8")).toContain("get(key: string): Uint8Array | null;");
});
