/**
 * docs/write-a-plugin/git-submodule.md, word for word: the contract as a Git repository, exported, tagged, a submodule of a
 * plugin's project, updated to a later tag. And what `wasm-tools` says of components by the world that the export adds.
 */

import { glob, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { obtainWasmTools } from "../../scripts/toolchains/python-tool.ts";
import { COMPONENTS, consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { type OfflineFolder, openOfflineFolder, TARGET_FOLDER } from "./packed-crate.ts";
import { describeWith } from "./toolchains.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";

const TIMEOUT_MS = 20 * 60_000;
const PAGE = "docs/write-a-plugin/git-submodule.md";
const UPDATE = "Update it";

/** Git's configuration: an author, and the page's repository, which is a folder here. */
function gitSettings(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(entries) };
}

await describeWith(["rust", "git", "python"], "a plugin that has the contract as a submodule", () => {
  let offline: OfflineFolder;
  let workplace: Workplace;
  let wasmTools: string;
  let component: string;

  beforeAll(async () => {
    wasmTools = await obtainWasmTools();
    offline = await openOfflineFolder();
    const contract = join(offline.path, "published");
    const git = {
      "user.name": "a",
      "user.email": "a@example.com",
      "init.defaultBranch": "main",
      [`url.${contract}.insteadOf`]: "https://git.example.com/plugin-contract.git",
      // Git takes no submodule from a folder unless it is told to.
      "protocol.file.allow": "always",
    };
    workplace = await createWorkplace({
      within: offline.path,
      path: dirname(wasmTools),
      env: { CARGO_BUILD_BUILD_DIR: TARGET_FOLDER, ...gitSettings(git) },
    });
    // Where the page has pushed it to.
    await workplace.sh(`ln -s "$PWD/plugin-contract" '${contract}'`);
    component = join(workplace.folder, "my-plugin/target/wasm32-wasip2/release/my_plugin.wasm");
    await workplace.follow(PAGE, { before: UPDATE });
  });

  afterAll(async () => {
    await workplace?.[Symbol.asyncDispose]();
    await offline?.[Symbol.asyncDispose]();
  });

  test("is built, served, and updated to a later tag", async () => {
    const before = await readFile(component);
    const plugin = uniqueName("submodule");
    await using replica = await startReplica({
      consumer: consumerFile({ group: "submodule", plugins: { [plugin]: component } }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
    });
    await using nats = await connect({ servers: inject("natsUrl") }).then((connection) => ({
      connection,
      [Symbol.asyncDispose]: () => connection.close(),
    }));
    expect((await request(nats.connection, `rpc.${plugin}.greet`, "you")).text).toBe("hello you");

    expect(await workplace.sh("git -C my-plugin/wit-api describe --tags")).toBe("v1.0.0\n");
    // What a later network-host would export differs in comments.
    await workplace.sh(
      `cd plugin-contract; echo "// Another line." >> wit/world.wit; git commit --quiet --all -m "1.0.1"`,
    );
    await workplace.sh("git -C plugin-contract tag v1.0.1");
    await workplace.follow(PAGE, { from: UPDATE });
    expect(await workplace.sh("git -C my-plugin submodule status")).toContain("(v1.0.1)");
    expect(await readFile(join(workplace.folder, "my-plugin/wit-api/wit/world.wit"), "utf8")).toContain(
      "Another line.",
    );
    await workplace.sh("cd my-plugin; cargo build --release --target wasm32-wasip2");
    expect(await readFile(component)).toEqual(before);
    expect(replica.errorOutput).toBe("");
  });

  test("is one of what wasm-tools says yes to, by the world of all that is linked", async () => {
    const targets = (wit: string, path: string) =>
      run(wasmTools, ["component", "targets", join(workplace.folder, "plugin-contract/wit", wit), path], {
        timeoutMs: TIMEOUT_MS,
      });
    const examples = await Array.fromAsync(glob("examples/*/*.wasm", { cwd: projectFile(".") }), projectFile);
    expect(examples.length).toBeGreaterThanOrEqual(4);
    for (const path of [...examples, projectFile("test/components/fetch-rust.wasm"), component])
      await targets("linked", path);
    // The contract's own world says no to what a toolchain with a later WASI has made; neither says yes to what is no plugin.
    await expect(targets("", COMPONENTS.userDataTs)).rejects.toThrow(/missing import named/);
    const none = join(offline.path, "none.wasm");
    await writeFile(none, Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
    await expect(targets("linked", none)).rejects.toThrow(/handler@1\.0\.0/);
  });
});
