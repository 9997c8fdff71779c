import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { coverDescriptors } from "../../../../src/supervisor/sandbox/inherited-descriptors.ts";

const MODULE = fileURLToPath(new URL("../../../../src/supervisor/sandbox/inherited-descriptors.ts", import.meta.url));

describe("descriptors that a host was started with", () => {
  test("are covered in its children, beside those that a child is given", () => {
    expect(coverDescriptors(["ignore", "pipe"], [], 9)).toEqual(["ignore", "pipe"]);
    expect(coverDescriptors(["ignore", "pipe"], [1, 4], 9)).toEqual(["ignore", "pipe", "ignore", "ignore", 9]);
  });

  test.runIf(process.platform === "linux")("lead nowhere in a child, though they have a high number", async () => {
    const inner = `
      import { spawnSync } from "node:child_process";
      import { childDescriptors } from ${JSON.stringify(MODULE)};
      const child = spawnSync("/bin/readlink", ["/proc/self/fd/77"], { stdio: childDescriptors(["ignore", "inherit", "inherit"]) });
      process.exitCode = child.status ?? 1;
    `;
    const stdio: ("ignore" | "pipe" | "inherit")[] = Array.from({ length: 77 }, () => "ignore");
    stdio[1] = "pipe";
    stdio[2] = "inherit";
    const host = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", inner], {
      stdio: [...stdio, "pipe"],
    });
    if (host.stdout === null) throw new Error("its output is piped");
    const output = await Array.fromAsync(host.stdout);
    expect(
      Buffer.concat(output as Buffer[])
        .toString("utf8")
        .trim(),
    ).toBe("/dev/null");
  });
});
