/** No part of a URL with a password reaches an output, whatever is wrong with the URL and wherever it was written. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HostError } from "../../../src/errors/host-error.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { run } from "./run.ts";

/** Found nowhere in what the commands say of themselves. */
const MARKS = ["Zq7", "Xw9", "Vk8"];

/** What a password has raw when it was not encoded, and what breaks a URL. */
const BREAKS = [
  "",
  "@",
  "/",
  "//",
  "?",
  "#",
  ":",
  ",",
  " ",
  "%",
  "%zz",
  "'",
  '"',
  "\\",
  "[",
  "]",
  "&",
  "=",
  "\t",
  "\u00e9",
  "://",
];

const password = fc
  .tuple(fc.constantFrom(...BREAKS), fc.constantFrom(...BREAKS))
  .map(([one, other]) => `${MARKS[0]}${one}${MARKS[1]}${other}${MARKS[2]}`);
const scheme = fc.constantFrom(
  "nats://",
  "tls://",
  "mongodb://",
  "mongodb+srv://",
  "http://",
  "nats:/",
  "",
  " nats://",
);
const user = fc.constantFrom("user:", ":", "");
const end = fc.constantFrom("@host", "@host:4222/db?w=1", "@host:port", "@", "@host,other:99999", "@[::1", "@host/#x");
const url = fc
  .tuple(scheme, user, password, end)
  .map((parts) => parts.join(""))
  // Without either it is a name with an `@` in it, as a file may have.
  .filter((text) => text.includes(":") && !MARKS.some((mark) => text.startsWith(mark)));

/** Where a URL may be written, in its place or by mistake. */
const PLACES: readonly (readonly [args: readonly string[], env: string | undefined])[] = [
  [["serve", "--nats=URL"], undefined],
  [["serve", "--store=URL"], undefined],
  [["serve", "--sqlite=URL"], undefined],
  [["serve", "--consumer=URL"], undefined],
  [["serve", "--policy=URL"], undefined],
  [["serve", "--nats-creds=URL"], undefined],
  [["serve", "--nats-ca=URL"], undefined],
  [["serve", "--nats-user=URL"], undefined],
  [["serve", "--nats-cert=URL", "--nats-key=k.pem"], undefined],
  [["serve", "--nats-cert=c.pem", "--nats-key=URL"], undefined],
  [["serve", "--nats-cert=URL"], undefined],
  [["serve", "--nats-key=URL"], undefined],
  [["serve", "--nats-tls=URL"], undefined],
  [["serve", "--nats-ping=URL"], undefined],
  [["serve", "--cache=URL"], undefined],
  [["serve", "--cache-bytes=URL"], undefined],
  [["serve", "--control=URL"], undefined],
  [["serve", "--runner-user=URL"], undefined],
  [["serve", "--sandbox=URL"], undefined],
  [["serve", "--log-level=URL"], undefined],
  [["serve", "--log-format=URL"], undefined],
  [["serve", "--engine=URL"], undefined],
  [["serve", "--health-port=URL"], undefined],
  [["serve", "--replica-id=URL"], undefined],
  [["serve", "--natz=URL"], undefined],
  [["serve", "URL"], undefined],
  [["serve"], "NATS_URL"],
  [["serve"], "MONGODB_URL"],
  [["serve"], "NATS_CREDS"],
  [["serve"], "NATS_URL_FILE"],
  [["serve"], "NATS_TOKEN_FILE"],
  [["serve"], "NATS_PASSWORD_FILE"],
  [["serve", "--nats-user=u"], "NATS_PASSWORD_FILE"],
  [["serve"], "NATS_NKEY_SEED_FILE"],
  [["serve"], "MONGODB_URL_FILE"],
  [["serve"], "NATS_USER"],
  [["serve"], "NATS_CA"],
  [["serve"], "NATS_CERT"],
  [["serve", "--nats-cert=c.pem"], "NATS_KEY"],
  [["serve"], "NATS_TLS"],
  // What is secret by itself, right or wrong, alone or beside another one.
  [["serve"], "NATS_PASSWORD"],
  [["serve", "--nats-user=u"], "NATS_PASSWORD"],
  [["serve", "--nats=nats://a:b@host"], "NATS_TOKEN"],
  [["serve"], "NATS_TOKEN"],
  [["serve"], "NATS_NKEY_SEED"],
  [["serve"], "CONTROL_DIR"],
  [["call", "echo", "--nats-tls=URL"], undefined],
  [["call", "echo"], "NATS_NKEY_SEED"],
  [["status", "URL"], undefined],
  [["status", "--control=URL"], undefined],
  [["status", "--timeout=URL"], undefined],
  [["reload", "URL", "--json"], undefined],
  [["reload"], "CONTROL_DIR"],
  [["compile", "URL"], undefined],
  [["compile", "URL", "--json"], undefined],
  [["cache", "URL"], undefined],
  [["cache", "list", "--cache=URL"], undefined],
  [["data", "list", "URL"], undefined],
  [["data", "list", "--sqlite=URL"], undefined],
  [["data", "export", "--shared", "URL"], undefined],
  [["data", "import", "p", "URL", "--sqlite=/nowhere/x"], undefined],
  [["call", "URL"], undefined],
  [["call", "echo", "--nats=URL", "--timeout=bad"], undefined],
  [["call", "echo", "--header=URL"], undefined],
  [["call", "echo", "--timeout=URL"], undefined],
  [["call", "echo", "m", "p", "URL"], undefined],
  [["check", "--consumer=URL"], undefined],
  [["check", "--policy=URL"], undefined],
  [["check", "--json", "--consumer=URL"], undefined],
  [["check", "URL"], undefined],
  [["inspect", "URL"], undefined],
  [["inspect", "URL", "--json"], undefined],
  [["inspect", "x.wasm", "--plugin=URL"], undefined],
  [["inspect", "x.wasm", "--policy=URL"], undefined],
  [["URL"], undefined],
];

describe("no part of a password is shown", () => {
  test.each(PLACES)("of a URL in %j, variable %s", async (args, variable) => {
    await fc.assert(
      fc.asyncProperty(url, async (text) => {
        const given = args.map((arg) => arg.replace("URL", () => text));
        const env = {
          HOME: "/nowhere",
          SQLITE_PATH: "/nowhere/x",
          ...(variable !== undefined && { [variable]: text }),
        };
        if (args.some((arg) => arg.startsWith("--store")) || variable === "MONGODB_URL") env.SQLITE_PATH = "";
        const { stdout, stderr } = await run(given, {
          env,
          // What a replica logs of its options.
          startApp: ({ nats }) => Promise.reject(new HostError("nats-unavailable", nats.servers.join(", "))),
        });
        for (const mark of MARKS) expect(stdout + stderr).not.toContain(mark);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
