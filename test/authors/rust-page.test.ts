/**
 * docs/write-a-plugin/rust.md and the crate's README, word for word: every command is run and every file written, from an
 * empty folder to the replies. The crate and the command are the packed ones, and the Node is the one of this machine.
 */

import { test } from "vitest";
import { openOfflineFolder, TARGET_FOLDER } from "./packed-crate.ts";
import { describeOnRequest } from "./toolchains.ts";
import { createWorkplace } from "./workplace.ts";

await describeOnRequest(["rust", "python", "git"], "an author in Rust", () => {
  test.each(["docs/write-a-plugin/rust.md", "sdk/rust/README.md"])("comes by %s to what it says", async (page) => {
    await using offline = await openOfflineFolder();
    await using workplace = await createWorkplace({
      within: offline.path,
      node: "machine",
      // Macros that were compiled for another test are taken from there.
      env: { CARGO_BUILD_BUILD_DIR: TARGET_FOLDER },
    });
    await workplace.follow(page);
  });
});
