import { expect, test } from "vitest";
import { parseChallenge } from "../../../src/oci/challenge.ts";

test.each([
  ['Basic realm="registry"', { kind: "basic" }],
  ["basic", { kind: "basic" }],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    {
      kind: "bearer",
      realm: "https://auth.example/token",
      service: "registry.example",
      scope: "repository:a/b:pull,push",
    },
  ],
  [
    'bearer  Realm=https://auth.example/token , error="insufficient_scope"',
    { kind: "bearer", realm: "https://auth.example/token", service: undefined, scope: undefined },
  ],
])("the challenge %s is read", (text, challenge) => {
  expect(parseChallenge(text)).toEqual(challenge);
});

test.each([
  "",
  "Bearer",
  'Bearer service="x"',
  "Negotiate abc",
  `Bearer realm="${"x".repeat(5_000)}"`,
  'Bearer realm=""',
])("the challenge %s is not answered", (text) => {
  expect(parseChallenge(text)).toBeUndefined();
});
