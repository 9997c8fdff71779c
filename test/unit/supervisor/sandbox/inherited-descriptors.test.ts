import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { coverDescriptors } from "../../../../src/supervisor/sandbox/inherited-descriptors.ts";
import { keepOutput } from "../../child-output.ts";

const MODULE = fileURLToPath(new URL("../../../../src/supervisor/sandbox/inherited-descriptors.ts", import.meta.url));

describe("descriptors that a host was started with", () => {
  test("are covered in its children, beside those that a child is given", () => {
    expect(coverDescriptors(["ignore", "pipe"], [], 9)).toEqual(["ignore", "pipe"]);
    expect(coverDescriptors(["ignore", "pipe"], [1, 4], 9)).toEqual(["ignore", "pipe", "ignore", "ignore", 9]);
  });

  test.runIf(process.platform === "linux")("lead nowhere in a child, though they have a high number", async () => {
    expect(await hostWith77([])).toBe("/dev/null");
  });

  test.runIf(process.platform === "linux")(
    "keep no child from being started, though no child can have them",
    async () => {
      expect(await hostWith77(["prlimit", "--nofile=64:64", "--"])).toBe("nothing");
    },
  );
});

/** What a child of a host finds at 77, where the host was started with that descriptor. */
async function hostWith77(prefix: readonly string[]): Promise<string> {
  const inner = `
    import { spawnSync } from "node:child_process";
    import { childDescriptors } from ${JSON.stringify(MODULE)};
    const stdio = childDescriptors(["ignore", "pipe", "pipe"]);
    const { stdout, error } = spawnSync("/bin/sh", ["-c", "readlink /proc/self/fd/77 || echo nothing"], { stdio });
    process.stdout.write(error?.message ?? stdout);
  `;
  const stdio: ("ignore" | "pipe")[] = Array.from({ length: 77 }, () => "ignore");
  stdio[1] = "pipe";
  stdio[2] = "pipe";
  const [file, ...args] = [...prefix, process.execPath, "--no-warnings", "--input-type=module", "-e", inner];
  const host = spawn(file, args, { stdio: [...stdio, "pipe"] });
  if (host.stdout === null || host.stderr === null) throw new Error("its output is piped");
  keepOutput(host.stderr);
  const output = await Array.fromAsync(host.stdout);
  return Buffer.concat(output as Buffer[])
    .toString("utf8")
    .trim();
}
