import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateSdk, strayFiles } from "../../../scripts/generate-sdk.ts";
import { projectFile } from "../../harness/plugins.ts";

test("the packages for authors carry the whole contract, as it is, and nothing else with it", async () => {
  const copies = await generateSdk();
  expect(await strayFiles(copies)).toEqual([]);
  for (const [file, text] of copies) expect(await readFile(projectFile(file), "utf8"), file).toBe(text);
  const folders = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
  const rust = [...copies.keys()].filter((file) => file.startsWith(join("sdk", "rust", "wit")));
  expect(rust.filter((file) => file.split("/").length === 4)).toHaveLength(4);
  for (const folder of folders) expect(rust.some((file) => file.startsWith(`sdk/rust/wit/deps/${folder}/`))).toBe(true);
});

test("a file that only the copy has is found", async () => {
  const copies = new Map(await generateSdk());
  copies.delete("sdk/rust/wit/world.wit");
  expect(await strayFiles(copies)).toEqual(["sdk/rust/wit/world.wit"]);
});
