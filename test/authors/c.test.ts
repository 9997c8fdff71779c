/**
 * The package for C and C++, packed and unpacked into an empty folder: the page for its authors, and what plugins count on at a
 * request on a real replica.
 */

import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { copyPackageBinaries } from "../../scripts/build/package-binaries.ts";
import { consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { obtainCMake } from "./cmake.ts";
import { describeWith } from "./toolchains.ts";
import { createWorkplace, TOOLCHAINS, type Workplace } from "./workplace.ts";

let path: string;
let env: Readonly<Record<string, string>>;
let workplace: Workplace;

const PACKAGE = "network-plugin-api-c-1.0.0";
const CMAKE = `cmake -B build -DCMAKE_TOOLCHAIN_FILE=../${PACKAGE}/cmake/zig.cmake && cmake --build build`;

await describeWith(["cmake", "python"], "the package for C", () => {
  // The page unpacks the package; what comes after it works in the same folder.
  beforeAll(async () => {
    await copyPackageBinaries();
    ({ path, env } = await obtainCMake(TOOLCHAINS));
    workplace = await createWorkplace({ path, env });
    await workplace.follow("docs/write-a-plugin/c.md");
  });

  afterAll(async () => {
    await workplace[Symbol.asyncDispose]();
  });

  test("the package holds what its README names, and nothing that a build has left", async () => {
    const names = (await workplace.sh(`ls ${PACKAGE}`)).trim().split("\n");
    const expected = "CHANGELOG.md CMakeLists.txt LICENSE README.md adapter cmake generated include test wit";
    expect(names.sort()).toEqual(expected.split(" ").sort());
  });

  test("the package's README leads to a plugin, too", async () => {
    await using place = await createWorkplace({ path, env });
    await place.sh(`cp ${workplace.folder}/${PACKAGE}.tar.gz .`);
    await place.follow("sdk/c/README.md");
    expect(await place.sh("ls build/my-plugin.wasm")).toBe("build/my-plugin.wasm\n");
  });

  test("without a toolchain for WebAssembly, CMake says which one to name", async () => {
    await workplace.sh("mkdir -p native && cp CMakeLists.txt plugin.c native/");
    await workplace.sh(`sed -i 's#add_subdirectory(.*#add_subdirectory(../${PACKAGE} api)#' native/CMakeLists.txt`);
    const said = await workplace.fails(
      "cmake -S native -B native/build -DCMAKE_SYSTEM_PROCESSOR=x86_64 -DCMAKE_C_COMPILER=true -DCMAKE_C_COMPILER_FORCED=1",
    );
    expect(said.replace(/\s+/g, " ")).toMatch(
      /Name a toolchain for WebAssembly: cmake -DCMAKE_TOOLCHAIN_FILE=\S+zig\.cmake/,
    );
  });

  describe("a request", () => {
    const names = { battery: uniqueName("battery-c"), cpp: uniqueName("hello-cpp") };
    let nats: NatsConnection;
    let replica: Replica;

    beforeAll(async () => {
      await workplace.sh("mkdir -p battery");
      const cmake = `cmake_minimum_required(VERSION 3.20)\nproject(battery LANGUAGES C)\nadd_subdirectory(../${PACKAGE} api)\nadd_network_plugin(battery battery.c)\n`;
      await writeFile(join(workplace.folder, "battery/CMakeLists.txt"), cmake);
      await copyFile(projectFile("sdk/c/test/battery.c"), join(workplace.folder, "battery/battery.c"));
      await workplace.sh(`cd battery; ${CMAKE}`);
      nats = await connect({ servers: inject("natsUrl") });
      replica = await startReplica({
        consumer: consumerFile({
          group: names.battery,
          plugins: {
            [names.battery]: join(workplace.folder, "battery/build/battery.wasm"),
            [names.cpp]: join(workplace.folder, "cpp/build/hello.wasm"),
          },
        }),
        policies: policyFiles({
          [names.battery]: { ...READ_WRITE, buckets: { private: ["values"] } },
          [names.cpp]: READ_WRITE,
        }),
      });
    });

    afterAll(async () => {
      await replica[Symbol.asyncDispose]();
      await nats.close();
    });

    const ask = async (method: string, payload = "") =>
      request(nats, `rpc.${names.battery}`, payload, { "Rpc-Method": method, "Rpc-Id": method });

    test("is answered with the bytes that it came with, none of them too", async () => {
      expect((await ask("echo", "0\u0000é")).text).toBe("0\u0000é");
      expect((await ask("echo")).data.length).toBe(0);
      expect((await ask("status")).status).toBe(65_535);
    });

    test("fails with the plugin's text, or traps without one", async () => {
      const failed = await ask("fail");
      expect([failed.error, failed.text]).toEqual(["plugin-error", "no such user"]);
      expect((await ask("trap")).error).toBe("plugin-trapped");
    });

    test("writes to the log, by the contract and by stdio", async () => {
      await ask("log");
      await replica.logged(({ msg, id, level }) => msg === "careful" && id === "log" && level === "warn");
      await replica.logged(({ msg, id }) => msg === "by stdio" && id === "log");
    });

    test("tells an empty value from none", async () => {
      expect((await ask("store")).text).toBe("the store does what it says");
    });

    test("is counted by the page's plugin in C++, and refused with its text", async () => {
      const greet = async (name: string) => request(nats, `rpc.${names.cpp}`, name, { "Rpc-Method": "greet" });
      expect((await greet("World")).text).toBe("Hello, World! You are number 1.");
      expect((await greet("you")).text).toBe("Hello, you! You are number 2.");
      expect((await greet("")).text).toBe("a name is needed");
    });
  });
});
