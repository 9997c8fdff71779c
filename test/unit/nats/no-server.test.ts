import { expect, test } from "vitest";
import { adviceWithoutServer } from "../../../src/nats/no-server.ts";

const REFUSED = "the connection to NATS failed while connecting: connection refused";

test("where nothing listens on this machine, it is said how to get a server, on the port that is asked for", () => {
  expect(adviceWithoutServer(REFUSED, ["nats://127.0.0.1:4222"])).toMatch(
    /^no NATS server .*`docker run .*:4222:4222 nats`.*nats-server -a 127\.0\.0\.1`$/,
  );
  for (const server of ["nats://user:word@localhost:4999", "localhost:4999", "nats://[::1]:4999/"])
    expect(adviceWithoutServer(REFUSED, [server])).toMatch(/127\.0\.0\.1:4999:4222 nats`.* -p 4999`$/);
});

test("a server elsewhere, or one that answers and refuses, is its operator's business", () => {
  expect(adviceWithoutServer(REFUSED, ["nats://nats.internal:4222"])).toBeUndefined();
  expect(adviceWithoutServer(REFUSED, ["nats://127.0.0.1:4222", "nats://nats.internal:4222"])).toBeUndefined();
  expect(adviceWithoutServer("the NATS server refused the credentials", ["nats://127.0.0.1:4222"])).toBeUndefined();
});
