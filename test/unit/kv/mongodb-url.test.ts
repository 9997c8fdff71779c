import { describe, expect, test } from "vitest";
import { openMongoStore } from "../../../src/kv/drivers/mongodb.ts";

describe("what can never work in a URL is refused at the start, by its part, without a value of it", () => {
  const secret = "hunter2-s3cret";
  test.each([
    ["a database with a dot", "/my.database", "database's name"],
    ["a database with a slash", "/my%2Fdatabase", "database's name"],
    ["a database with a space", "/my%20database", "database's name"],
    ["a database with a dollar sign", "/$external", "database's name"],
    ["a database of more than 63 bytes", `/${"%C3%A9".repeat(32)}`, "63 bytes"],
    ["the database that is not replicated", "/local", "local"],
    ["a database that differs in case from MongoDB's own", "/Admin", "admin"],
    ["a compressor without its module", "/?compressors=zlib,snappy", "compressors"],
    ["a mechanism without its module", "/?authMechanism=MONGODB-AWS", "authMechanism"],
    ["another mechanism without its module", "/?authMechanism=GSSAPI&authSource=$external", "authMechanism"],
    ["a proxy without its module", "/?proxyHost=127.0.0.1", "proxyHost"],
    ["an unknown option", `/?noSuchOption=${secret}`, "noSuchOption"],
    ["a bad value", `/?w=1&retryWrites=${secret}`, "retryWrites"],
    ["an option that is given twice", "/?w=1&w=2", " w "],
    ["a pool that cannot be", "/?minPoolSize=65", "minPoolSize"],
    ["a pool of no number", `/?maxPoolSize=${secret}`, "maxPoolSize"],
    ["a file that is not there", `/?tls=true&tlsCAFile=/nowhere/${secret}`, "tlsCAFile"],
    ["a path that is not a file", "/?tls=true&tlsCAFile=/tmp", "tlsCAFile"],
    [
      "a remainder of a secret that looks like an option",
      `/?tlsCertificateKeyFilePassword=a&${secret.replace("-", "")}=1`,
      "an option",
    ],
  ])("%s", async (_, rest, part) => {
    const options = { url: `mongodb://user:${secret}@127.0.0.1${rest}`, source: "MONGODB_URL" };
    const error: unknown = await openMongoStore(options).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "usage-invalid",
      message: expect.stringMatching(/^MONGODB_URL .*; \S/) as string,
    });
    const { message } = error as Error;
    expect(message).toContain(part);
    expect(message).not.toContain("s3cret");
  });

  test.each(["127.0.0.1:99999999", "user:pa?ss@127.0.0.1", "user:pa/ss@127.0.0.1"])("%s", async (rest) => {
    await expect(openMongoStore({ url: `mongodb://${rest}/` })).rejects.toMatchObject({ code: "usage-invalid" });
  });

  test.each(["/a'b", "/日本", "/admin", "/config", `/${"x".repeat(63)}`, "/a:b"])("but %s is a name", async (path) => {
    await using _ = await openMongoStore({ url: `mongodb://127.0.0.1:1${encodeURI(path)}` });
  });
});
