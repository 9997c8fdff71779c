/** Nothing that a replica holds of secrets reaches its log, its errors or what it answers of itself, whatever goes wrong. */

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { nkeys } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exited } from "../../scripts/lib/command.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { type ReplicaOptions, startReplica } from "../harness/replica.ts";
import { startConfiguredNatsServer } from "../harness/server.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** What is part of a secret here is part of nothing else. */
const MARK = "Zq7Xw9";
const seed = new TextDecoder().decode(nkeys.createUser().getSeed());

let folder: string;
let refusing: Awaited<ReturnType<typeof startConfiguredNatsServer>>;
let nobody: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "secrets-"));
  refusing = await startConfiguredNatsServer('authorization { user: somebody, password: "else" }');
  nobody = `127.0.0.1:${await freePort()}`;
  const files = { url: `nats://u:${MARK}@${nobody}`, password: `${MARK}\n`, token: `${MARK}%`, seed };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});
afterAll(async () => {
  await refusing[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Setting = Pick<ReplicaOptions, "args" | "env" | "natsUrl" | "mongodbUrl">;

const host = (): string => new URL(refusing.url).host;

test.each<readonly [string, () => Setting]>([
  ["a password in the URL that is refused", () => ({ natsUrl: `nats://u:${MARK}@${host()}` })],
  ["a password in the URL of a server that is not there", () => ({ natsUrl: `nats://u:${MARK}%40%2F@${nobody}` })],
  ["a token in the URL", () => ({ natsUrl: `nats://${MARK}@${host()}` })],
  ["a token in a TLS URL of a server without TLS", () => ({ natsUrl: `tls://${MARK}@${host()}` })],
  ["a password", () => ({ natsUrl: `nats://${host()}`, args: ["--nats-user", "u"], env: { NATS_PASSWORD: MARK } })],
  ["a token", () => ({ natsUrl: `nats://${host()}`, env: { NATS_TOKEN: `${MARK}\n` } })],
  ["a seed", () => ({ natsUrl: `nats://${host()}`, env: { NATS_NKEY_SEED: seed } })],
  [
    "a password in a file",
    () => ({
      natsUrl: `nats://${host()}`,
      args: ["--nats-user", "u"],
      env: { NATS_PASSWORD_FILE: join(folder, "password") },
    }),
  ],
  ["a token in a file", () => ({ natsUrl: `nats://${host()}`, env: { NATS_TOKEN_FILE: join(folder, "token") } })],
  ["a seed in a file", () => ({ natsUrl: `nats://${host()}`, env: { NATS_NKEY_SEED_FILE: join(folder, "seed") } })],
  [
    "a password in MongoDB's URL",
    () => ({ natsUrl: `nats://${nobody}`, mongodbUrl: `mongodb://u:${MARK}%2F@${nobody}/db?authSource=admin` }),
  ],
])("shows nothing of %s, in its log, errors, health, metrics and status", async (_what, setting) => {
  const plugin = uniqueName("secret");
  await using replica = await startReplica({
    consumer: consumerFile({ group: "secrets", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
    waitFor: "process",
    ...setting(),
  });
  const { mongodbUrl } = setting();
  await replica.logged(({ msg }) => msg === "waiting for NATS");
  if (mongodbUrl !== undefined) await replica.logged(({ msg }) => String(msg).startsWith("the store cannot do"));
  const pages = await Promise.all(
    ["readyz", "metrics"].map(async (page) => (await fetch(`${replica.healthUrl}/${page}`)).text()),
  );
  const status = await run("status", "--json", "--control", join(replica.folder, "control"));
  expect(status).toContain('"state":"starting"');
  await run("reload", "--control", join(replica.folder, "control"));
  expect(await replica.stop()).toMatchObject({ code: 0 });
  const said = [...pages, status, replica.errorOutput, ...replica.records.map((record) => JSON.stringify(record))];
  for (const secret of [MARK, seed, seed.slice(4, 24)]) expect(said.join("\n")).not.toContain(secret);
});

/** All that the command says. */
async function run(...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), exited(child)]);
  return stdout + stderr;
}
