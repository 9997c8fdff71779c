import { expect, test } from "vitest";
import { NATS_GO_PACKAGE, NATS_IMAGE, NATS_WHEEL } from "../../../src/local-nats/server-source.ts";

test("every registry is asked for the same release of the server, none for the newest of several", () => {
  const releases = [NATS_WHEEL.requirement, NATS_GO_PACKAGE, NATS_IMAGE].map((name) => /\d+\.\d+\.\d+/.exec(name)?.[0]);
  expect(releases[0]).toBeDefined();
  expect(new Set(releases).size).toBe(1);
});
