import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authenticator, nkeys } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostError } from "../../../src/errors/host-error.ts";
import { type NatsCredentials, natsConnectionOptions } from "../../../src/nats/connection.ts";
import { createCertificate } from "../../harness/certificate.ts";

const SERVERS = ["nats://127.0.0.1:1"];

/** A file as an account's tools write it, for a user of its own. */
function credentials(jwt: string, lineEnd = "\n", seed = seedOf(nkeys.createUser())): string {
  return [
    "-----BEGIN NATS USER JWT-----",
    jwt,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seed,
    "------END USER NKEY SEED------",
    "",
  ].join(lineEnd);
}

function seedOf(pair: ReturnType<typeof nkeys.createUser>): string {
  return new TextDecoder().decode(pair.getSeed());
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "creds-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** What the client would send with these credentials at this moment. */
function sending(
  given: NatsCredentials,
  warn?: (error: HostError) => void,
): () => Readonly<Record<string, string | undefined>> {
  const { authenticator } = natsConnectionOptions({ servers: SERVERS, credentials: given }, warn);
  return () => (authenticator as Authenticator)("nonce") as unknown as Readonly<Record<string, string | undefined>>;
}

describe("a credentials file", () => {
  test("is read at each connect; where it is away, empty or half written its last good content is used, with a warning for each reason", async () => {
    const path = await file("user.creds", credentials("a.b.first"));
    const warnings: string[] = [];
    const send = sending({ kind: "file", path }, ({ message }) => warnings.push(message));
    expect(send()["jwt"]).toBe("a.b.first");
    await writeFile(path, credentials("a.b.second"));
    expect(send()["jwt"]).toBe("a.b.second");
    await writeFile(path, credentials("a.b.third").slice(0, 80));
    expect([send()["jwt"], send()["jwt"]]).toEqual(["a.b.second", "a.b.second"]);
    await writeFile(path, "");
    expect(send()["jwt"]).toBe("a.b.second");
    await rm(path);
    expect(send()["jwt"]).toBe("a.b.second");
    expect(warnings).toEqual([
      expect.stringContaining("holds no NKEY seed"),
      expect.stringContaining("holds no user's JWT"),
      expect.stringContaining("ENOENT"),
    ]);
  });

  test.each([
    ["line ends of Windows", credentials("a.b.c", "\r\n")],
    ["no last line break", credentials("a.b.c").trimEnd()],
    ["neither", credentials("a.b.c", "\r\n").trimEnd()],
    ["a byte-order mark", `\uFEFF${credentials("a.b.c")}`],
  ])("may have %s", async (_, text) => {
    expect(sending({ kind: "file", path: await file("other.creds", text) })()).toMatchObject({
      jwt: "a.b.c",
      nkey: expect.stringMatching(/^U/) as string,
      sig: expect.stringMatching(/^\S{80,}$/) as string,
    });
  });
});

describe("a secret in a file", () => {
  test("is what it holds without the last line break, at each connect", async () => {
    const path = await file("password", "first\r\n");
    const send = sending({ kind: "password", user: "u", password: { path } });
    expect(send()).toEqual({ user: "u", pass: "first" });
    await writeFile(path, " second ");
    expect(send()).toEqual({ user: "u", pass: " second " });
    expect(sending({ kind: "token", token: { path } })()).toEqual({ auth_token: " second " });
  });

  test("may be the seed of a user's NKEY, alone or as its tools write it", async () => {
    const user = nkeys.createUser();
    const seed = seedOf(user);
    const block = credentials("a.b.c", "\r\n", seed);
    for (const text of [seed, `${seed}\r\n`, block.slice(block.indexOf("-----BEGIN USER"))]) {
      const path = await file("user.nk", text);
      expect(sending({ kind: "nkey", seed: { path } })()["nkey"]).toBe(user.getPublicKey());
    }
  });
});

const ACCOUNT_SEED = seedOf(nkeys.createAccount());

test.each([
  ["a file that is away", undefined, "ENOENT"],
  ["an empty file", "", "it holds no user's JWT"],
  ["garbage", "\0\xFF garbage", "it holds no user's JWT"],
  ["a JWT alone", credentials("a.b.c").slice(0, 70), "it holds no NKEY seed"],
  ["an invalid seed", credentials("a.b.c", "\n", "SUNONE"), "it holds no NKEY seed"],
  ["an account's seed", credentials("a.b.c", "\n", ACCOUNT_SEED), "its NKEY seed is not that of a user"],
  ["more than anybody writes", "x".repeat(2_000_000), "it has more than"],
])("credentials of %s are refused at the start, and none of them is quoted", async (_, text, why) => {
  const path = text === undefined ? "/nowhere/user.creds" : await file("bad.creds", text);
  const thrown: unknown = await Promise.try(() => sending({ kind: "file", path })).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "usage-invalid", message: expect.stringContaining(why) as string });
  expect(String(thrown)).not.toMatch(/a\.b\.c|SUNONE|garbage/);
});

describe("files for TLS that cannot be used", () => {
  const [one, other] = [createCertificate(["a.example"]), createCertificate(["a.example"])];

  test.each([
    ["invalid authorities", { caFile: "garbage" }, "the authorities' file holds no certificate"],
    ["no authorities", { caFile: "" }, "the authorities' file holds no certificate"],
    [
      "half an authority",
      { caFile: one.cert.replace(/\n.{64}\n/, "\n") },
      "the authorities' file holds a certificate that",
    ],
    ["an invalid certificate", { certFile: "garbage", keyFile: one.key }, "the certificate's file holds no"],
    ["an invalid key", { certFile: one.cert, keyFile: "garbage" }, "the file is not a private key"],
    ["another certificate's key", { certFile: one.cert, keyFile: other.key }, "the key is not that of the certificate"],
  ])(
    "are refused at the start: %s",
    async (_, texts: Partial<Record<"caFile" | "certFile" | "keyFile", string>>, why) => {
      const { caFile, certFile = "", keyFile = "" } = texts;
      const tls = {
        handshake: "after-info" as const,
        ...(caFile !== undefined && { caFile: await file("ca.pem", caFile) }),
        ...(caFile === undefined && {
          client: { certFile: await file("cert.pem", certFile), keyFile: await file("key.pem", keyFile) },
        }),
      };
      expect(() => natsConnectionOptions({ servers: SERVERS, credentials: { kind: "none" }, tls })).toThrow(
        expect.objectContaining({ code: "usage-invalid", message: expect.stringContaining(why) as string }),
      );
    },
  );
});
