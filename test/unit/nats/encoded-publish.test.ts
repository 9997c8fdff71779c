import type { NatsConnection } from "nats";
import { expect, test } from "vitest";
import { encodedPublish } from "../../../src/nats/encoded-publish.ts";

test("a client without the writer that replies need is refused, and not discovered at the first reply", () => {
  const other = { protocol: {} } as unknown as NatsConnection;
  expect(() => encodedPublish(other)).toThrow(/sendCommand/);
});
