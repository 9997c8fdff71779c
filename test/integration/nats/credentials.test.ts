/** Credentials of all kinds before a real server, in files that are renewed, lost or never were any. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startReplica } from "../../harness/replica.ts";
import { startConfiguredNatsServer } from "../../harness/server.ts";
import { run } from "../../unit/cli/run.ts";
import { openLink } from "./open-link.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** What `call` says with these variables; nobody serves the plugin. */
async function call(env: Readonly<Record<string, string>>): Promise<string> {
  return (await run(["call", "absent", "--timeout", "5s"], { env })).stderr;
}

const REFUSED = "the NATS server refused the credentials";

test("a user is known by its NKEY, whose seed is in a variable or in a file", async () => {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  const other = new TextDecoder().decode(nkeys.createUser().getSeed());
  await using nats = await startConfiguredNatsServer(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
  const env = { NATS_URL: nats.url };
  expect(await call({ ...env, NATS_NKEY_SEED: seed })).toContain("no-responders");
  expect(await call({ ...env, NATS_NKEY_SEED_FILE: await file("seed", `${seed}\r\n`) })).toContain("no-responders");
  expect(await call({ ...env, NATS_NKEY_SEED: other })).toContain(REFUSED);
});

test("passwords and tokens come from files, too", async () => {
  await using nats = await startConfiguredNatsServer(`authorization { user: u, password: "p w" }`);
  const env = { NATS_URL: nats.url, NATS_USER: "u" };
  expect(await call({ ...env, NATS_PASSWORD_FILE: await file("password", "p w\r\n") })).toContain("no-responders");
  expect(await call({ ...env, NATS_PASSWORD_FILE: await file("wrong", "p\n") })).toContain(REFUSED);
  await using other = await startConfiguredNatsServer(`authorization { token: "a+b" }`);
  const token = await file("token", "a+b");
  expect(await call({ NATS_URL: other.url, NATS_TOKEN_FILE: token })).toContain("no-responders");
});

describe("a replica's link", () => {
  test("outlives a secret's file that is empty and then gone when it connects again, and heeds a new one", async () => {
    const path = await file("kept", "old");
    await using nats = await startConfiguredNatsServer("authorization { user: u, password: old }");
    await using link = await openLink(nats.url, { kind: "password", user: "u", password: { path } });
    const reconnected = (times: number) =>
      expect.poll(() => link.heard.filter(([name]) => name === "reconnected").length, { timeout: 60_000 }).toBe(times);
    await writeFile(path, "");
    await nats.kill();
    await nats.restart();
    await reconnected(1);
    await rm(path);
    await nats.kill();
    await nats.restart();
    await reconnected(2);
    expect(link.warnings).toEqual([expect.stringContaining("it is empty"), expect.stringContaining("ENOENT")]);
    await writeFile(path, "new");
    await nats.reload("authorization { user: u, password: new }");
    await nats.kill();
    await nats.restart();
    await reconnected(3);
    expect(link.heard.filter(([name]) => name === "closed")).toEqual([]);
  });
});

test.each([
  ["NATS_CREDS", "no credentials"],
  ["NATS_NKEY_SEED_FILE", "no seed"],
  ["NATS_TOKEN_FILE", ""],
  ["NATS_CA", "no certificate"],
])("a replica whose %s holds garbage ends at its start, with 2", async (variable, text) => {
  await using replica = await startReplica({
    consumer: "group: garbage\nplugins:\n  - name: absent\n    component: absent.wasm\n",
    policies: {},
    env: { [variable]: await file(variable, text) },
    waitFor: "process",
  });
  expect(await replica.ended).toMatchObject({ code: 2 });
  expect(replica.errorOutput).toContain("error usage-invalid: ");
  expect(replica.errorOutput).toContain(`${join(folder, variable)} cannot be used: `);
});
