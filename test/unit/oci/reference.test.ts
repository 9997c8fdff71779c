import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, isRegistryHost, parseReference, parseRepository } from "../../../src/oci/reference.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const HEX = "a".repeat(64);

describe("a reference", () => {
  test.each([
    ["oci://registry.example.com/plugins/echo:1.0.0", "registry.example.com", "plugins/echo", "1.0.0", undefined],
    ["registry.example.com:5000/echo:1", "registry.example.com:5000", "echo", "1", undefined],
    [`oci://localhost/a/b/c_d@sha256:${HEX}`, "localhost", "a/b/c_d", undefined, HEX],
    [`127.0.0.1:5000/echo:v1@sha256:${HEX}`, "127.0.0.1:5000", "echo", "v1", HEX],
    ["oci://[::1]:5000/echo:x", "[::1]:5000", "echo", "x", undefined],
    ["oci://Registry.Example.COM/echo:X", "registry.example.com", "echo", "X", undefined],
  ])("%s is read", (text, host, repository, tag, digest) => {
    expect(parseReference(text)).toEqual({ kind: "reference", reference: { host, repository, tag, digest } });
  });

  test.each([
    ["echo:1.0.0", "names no registry"],
    ["plugins/echo:1.0.0", "not the host of a registry"],
    ["oci://registry.example.com/echo", "neither a tag nor a digest"],
    ["oci://registry.example.com/Echo:1", "not the name of a repository"],
    ["oci://registry.example.com/../echo:1", "not the name of a repository"],
    ["oci://registry.example.com/echo:", "not a tag"],
    ["oci://registry.example.com/echo:a/b", "not a tag"],
    ["oci://registry.example.com/echo@sha256:abc", "not a digest"],
    [`oci://registry.example.com/echo@sha512:${HEX}${HEX}`, "not a digest"],
    ["oci://user:secret@registry.example.com/echo:1", "not the host of a registry"],
    ["oci://registry.example.com:99999/echo:1", "not the host of a registry"],
    ["oci://registry.example.com/echo:1?x=1", "not a tag"],
    ["oci:///echo:1", "not the host of a registry"],
  ])("%s is refused: it is %s", (text, problem) => {
    expect(parseReference(text)).toEqual({ kind: "problem", problem: expect.stringContaining(problem) });
  });

  test("has one text, which is read as the same reference", () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const reference = fc.record({
      host: fc.constantFrom("localhost", "a.example", "10.0.0.1:5000"),
      repository: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
      digest: fc.constantFrom(undefined, HEX),
    });
    fc.assert(
      fc.property(reference, (one) => {
        expect(parseReference(formatReference(one as never))).toEqual({ kind: "reference", reference: one });
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("of whatever text, is read or refused and never thrown over", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        expect(["reference", "problem"]).toContain(parseReference(`oci://a.example/${text}`).kind);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});

test("a repository has neither a tag nor a digest", () => {
  expect(parseRepository("oci://a.example/echo")).toMatchObject({ kind: "reference" });
  expect(parseRepository("oci://a.example/echo:1")).toMatchObject({ kind: "problem" });
});

test("a host is a name with a dot or a port, an address, or localhost", () => {
  expect(["localhost", "localhost:80", "a.b", "a:5000", "10.0.0.1", "[::1]:80"].filter(isRegistryHost)).toHaveLength(6);
  expect(["a", "http://a.b", "a.b/", "a.b:0", "-a.b", "a..b", ""].filter(isRegistryHost)).toEqual([]);
});
