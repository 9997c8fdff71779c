import { readFile } from "node:fs/promises";
import { connect } from "nats";
import { describe, expect, inject, test } from "vitest";
import { projectFile } from "../harness/plugins.ts";
import { type WalkedFiles, walkedFiles } from "../harness/walk/walked-files.ts";

describe("the way of an echo", () => {
  test("passes the files that docs/architecture.md draws, in the host and in the runner, and no others", async () => {
    const nats = await connect({ servers: inject("natsUrl") });
    try {
      expect(await walkedFiles(nats)).toEqual(await drawnFiles());
    } finally {
      await nats.close();
    }
  });
});

/** The files that the picture of the chapter "One request" names. */
async function drawnFiles(): Promise<WalkedFiles> {
  const text = await readFile(projectFile("docs/architecture.md"), "utf8");
  const picture = /^## One request\n.*?^```\n(.*?)^```$/ms.exec(text)?.[1] ?? "";
  const drawn = { HOST: new Set<string>(), RUNNER: new Set<string>() };
  let side: keyof typeof drawn = "HOST";
  let folder = "";
  // `HOST` or `RUNNER`, a folder, which holds for all files up to the next one, or a file.
  for (const [, newSide, newFolder, file] of picture.matchAll(
    /\b(HOST|RUNNER)\b|([a-z][a-z/-]*\/)(?=\s)|([a-z-]+\.ts)\b/g,
  )) {
    if (newSide !== undefined) side = newSide as keyof typeof drawn;
    else if (newFolder !== undefined) folder = newFolder === "src/" ? "" : newFolder;
    else if (file !== undefined) drawn[side].add(`${folder}${file}`);
  }
  return { host: [...drawn.HOST].sort(), runner: [...drawn.RUNNER].sort() };
}
