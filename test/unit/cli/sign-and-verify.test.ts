import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { p256Key } from "../../harness/signing.ts";
import { run } from "./run.ts";

const SECRET = "correct horse";
const REFERENCE = "oci://registry.test/plugins/echo:1.0.0";

let folder: string;
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "signing-cli-"));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const encrypted = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: SECRET });
  const ed25519 = generateKeyPairSync("ed25519");
  const files = {
    "encrypted.pem": encrypted,
    "key.pub": p256Key().public.pem,
    "ed.pub": ed25519.publicKey.export({ type: "spki", format: "pem" }),
    "empty.txt": "",
    "wrong.txt": "wrong\n",
    "password.txt": `${SECRET}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path(name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the key of sign", () => {
  test.each([
    ["is not there", ["missing.pem"], {}, 2, "usage-invalid"],
    ["is a public one", ["key.pub"], {}, 1, "it is a public key; the private one signs"],
    [
      "is encrypted, and there is no password",
      ["encrypted.pem"],
      {},
      1,
      "SIGNING_KEY_PASSWORD or SIGNING_KEY_PASSWORD_FILE",
    ],
    ["has another password", ["encrypted.pem"], { SIGNING_KEY_PASSWORD: "wrong" }, 1, "its password is another one"],
    [
      "has a password in a file that is another one",
      ["encrypted.pem"],
      { SIGNING_KEY_PASSWORD_FILE: "wrong.txt" },
      1,
      "its password is another one",
    ],
    [
      "has a password in an empty file",
      ["encrypted.pem"],
      { SIGNING_KEY_PASSWORD_FILE: "empty.txt" },
      2,
      "it is empty",
    ],
    [
      "has a password in a file that is not there",
      ["encrypted.pem"],
      { SIGNING_KEY_PASSWORD_FILE: "none.txt" },
      2,
      "SIGNING_KEY_PASSWORD_FILE",
    ],
  ] as const)("%s: that is said before anything is asked of the registry", async (_, [name], variables, code, text) => {
    const env = Object.fromEntries(
      Object.entries(variables).map(([key, value]) => [key, key.endsWith("_FILE") ? path(value) : value]),
    );
    const result = await run(["sign", REFERENCE, "--key", path(name)], { env });
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(text) });
    expect(result.stderr).not.toContain(SECRET);
  });

  test("is opened with the password in a file; two passwords are one too many", async () => {
    // Nobody answers there: the key was usable.
    const env = { SIGNING_KEY_PASSWORD_FILE: path("password.txt") };
    const args = [
      "sign",
      "oci://127.0.0.1:1/echo:1",
      "--key",
      path("encrypted.pem"),
      "--registry-plain-http",
      "127.0.0.1:1",
    ];
    expect(await run(args, { env })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("registry-unreachable"),
    });
    const both = { ...env, SIGNING_KEY_PASSWORD: SECRET };
    expect(await run(args, { env: both })).toMatchObject({ code: 2, stderr: expect.stringContaining("leave one out") });
  });
});

describe("the keys of verify", () => {
  test("are needed, and each must be one that can verify", async () => {
    expect(await run(["verify", REFERENCE])).toMatchObject({ code: 2, stderr: expect.stringContaining("--key") });
    expect(await run(["verify", REFERENCE, "--key", path("key.pub"), "--key", path("ed.pub")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ed.pub cannot be used: it is an Ed25519 key"),
    });
  });

  test("are bounded in number", async () => {
    const keys = Array.from({ length: FIXED_LIMITS.signatureKeys + 1 }, () => ["--key", path("key.pub")]).flat();
    expect(await run(["verify", REFERENCE, ...keys])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("17 keys; at most 16"),
    });
  });
});

test.each(["sign", "verify"])("%s takes a reference to a component, with a tag or a digest", async (command) => {
  const { code, stderr } = await run([command, "oci://registry.test/plugins/echo", "--key", path("key.pub")]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("append :<tag> or @sha256:<digest>")]);
});
