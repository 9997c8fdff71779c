import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { dockerCredentials } from "../../../src/oci/docker-config.ts";

const basic = (text: string) => Buffer.from(text).toString("base64");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docker-config-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function find(host: string, config: unknown, env: NodeJS.ProcessEnv = {}) {
  await writeFile(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  const path = [folder, process.env["PATH"]].join(delimiter);
  return await dockerCredentials({ folder, env: { PATH: path, ...env } })(host);
}

/** Puts a credential helper of this name on the path. */
async function helper(name: string, script: string): Promise<void> {
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

describe("Docker's configuration", () => {
  test("may be missing, or may not name the registry: then there are no credentials", async () => {
    expect(await dockerCredentials({ folder, env: {} })("a.example")).toBeUndefined();
    expect(await find("a.example", {})).toBeUndefined();
    expect(await find("a.example", { auths: { "b.example": { auth: basic("u:p") } } })).toBeUndefined();
    expect(await find("a.example", { auths: { "a.example": {} } })).toBeUndefined();
  });

  test.each([
    ["a.example", "a.example"],
    ["a.example:5000", "a.example:5000"],
    ["a.example", "https://a.example"],
    ["a.example", "https://a.example/v2/"],
    ["docker.io", "https://index.docker.io/v1/"],
  ])("of %s has a password under %s", async (host, key) => {
    expect(await find(host, { auths: { [key]: { auth: basic("user:p:a:ss") } } })).toEqual({
      kind: "password",
      user: "user",
      password: "p:a:ss",
    });
  });

  test("has identity tokens and tokens of registries", async () => {
    const auths = { "a.example": { identitytoken: "i" }, "b.example": { registrytoken: "r" } };
    expect(await find("a.example", { auths })).toEqual({ kind: "identity-token", token: "i" });
    expect(await find("b.example", { auths })).toEqual({ kind: "registry-token", token: "r" });
  });

  test("that cannot be used is an error that quotes nothing of it", async () => {
    for (const text of [
      '{ "auths": { "a.example": { "auth": "c2VjcmV0" }',
      '{"auths":{"a.example":{"auth":"c2VjcmV0"}}}',
    ]) {
      const error = await find("a.example", text).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "registry-denied" });
      expect((error as Error).message).not.toMatch(/c2VjcmV0|secret/);
    }
  });
});

describe("a credential helper", () => {
  const PRINTS = `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"u-$server\\",\\"Secret\\":\\"s\\"}"`;

  test("of the registry comes before that of all, and that before the file", async () => {
    await helper("one", PRINTS);
    await helper("all", 'echo \'{"Username":"of-all","Secret":"s"}\'');
    const auths = { "a.example": { auth: basic("of-file:p") } };
    const whole = { auths, credsStore: "all", credHelpers: { "a.example": "one" } };
    expect(await find("a.example", whole)).toEqual({ kind: "password", user: "u-a.example", password: "s" });
    expect(await find("b.example", whole)).toMatchObject({ user: "of-all" });
    expect(await find("a.example", { auths })).toMatchObject({ user: "of-file" });
  });

  test("that has none leaves the file's", async () => {
    await helper("none", "echo 'credentials not found in native keychain'; exit 1");
    const auths = { "a.example": { auth: basic("of-file:p") } };
    expect(await find("a.example", { auths, credsStore: "none" })).toMatchObject({ user: "of-file" });
    expect(await find("b.example", { auths, credsStore: "none" })).toBeUndefined();
  });

  test("may give an identity token", async () => {
    await helper("token", 'echo \'{"Username":"<token>","Secret":"t"}\'');
    expect(await find("a.example", { credsStore: "token" })).toEqual({ kind: "identity-token", token: "t" });
  });

  test.each([
    ["fails", "echo top-secret >&2; echo top-secret; exit 3", /exit code 3/],
    ["prints something else", "echo top-secret", /did not print credentials/],
    ["prints without an end", "while :; do echo top-secret; done", /too much/],
    ["takes for ever", "exec sleep 600", new RegExp(String(FIXED_LIMITS.credentialHelperMs))],
  ])("that %s is an error without what it printed", async (_, script, message) => {
    await helper("bad", script);
    const error = await find("a.example", { credsStore: "bad" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "registry-denied", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain("top-secret");
  });

  test("that is missing, or whose name is a path, is an error", async () => {
    await expect(find("a.example", { credsStore: "absent" })).rejects.toMatchObject({ message: /not on PATH/ });
    await expect(find("a.example", { credsStore: "../../bin/sh" })).rejects.toMatchObject({
      message: /not a helper's name/,
    });
  });

  test("does not get the host's own secrets", async () => {
    const names = ["NATS_PASSWORD", "MONGODB_URL", "SIGNING_KEY_PASSWORD", "SIGNING_KEY_PASSWORD_FILE"];
    const all = names.map((name) => `$${name}`).join("");
    await helper("env", `echo "{\\"Username\\":\\"${all}-$AWS_PROFILE\\",\\"Secret\\":\\"s\\"}"`);
    const env = { ...Object.fromEntries(names.map((name) => [name, "secret"])), AWS_PROFILE: "p" };
    expect(await find("a.example", { credsStore: "env" }, env)).toMatchObject({ user: "-p" });
  });
});
