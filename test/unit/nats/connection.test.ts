import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authenticator, nkeys } from "nats";
import { describe, expect, test } from "vitest";
import { natsConnectionOptions } from "../../../src/nats/connection.ts";

/** A file as an account's tools write it, for a user of its own. */
function credentials(jwt: string): string {
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
  return [
    "-----BEGIN NATS USER JWT-----",
    jwt,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seed,
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
}

describe("a credentials file", () => {
  test("is read at each connect, and its last good content is used where it is away or half written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "creds-"));
    const path = join(folder, "user.creds");
    await writeFile(path, credentials("first"));
    const { authenticator } = await natsConnectionOptions({
      servers: ["nats://127.0.0.1:1"],
      credentials: { kind: "file", path },
    });
    const jwt = (): string => ((authenticator as Authenticator)("nonce") as { jwt: string }).jwt;
    expect(jwt()).toBe("first");
    await writeFile(path, credentials("second"));
    expect(jwt()).toBe("second");
    await writeFile(path, credentials("third").slice(0, 60));
    expect(jwt()).toBe("second");
    await rm(folder, { recursive: true });
    expect(jwt()).toBe("second");
  });

  test("that cannot be read at the start is the operator's mistake", async () => {
    const options = { servers: ["nats://h:1"], credentials: { kind: "file", path: "/nowhere/user.creds" } } as const;
    await expect(natsConnectionOptions(options)).rejects.toMatchObject({ code: "usage-invalid" });
  });
});
