import { headers as createHeaders, type NatsConnection } from "nats";
import { expect, test } from "vitest";
import { startAttack } from "../../../bench/fairness/attack-load.ts";

/** Answers as a host would, and keeps count. */
function fakeConnection(answer: (count: number) => Record<string, string>) {
  const seen = { requests: 0, inFlight: 0, most: 0 };
  const connection = {
    async request() {
      seen.requests += 1;
      seen.inFlight += 1;
      seen.most = Math.max(seen.most, seen.inFlight);
      const count = seen.requests;
      await new Promise((resolve) => setImmediate(resolve));
      seen.inFlight -= 1;
      const headers = createHeaders();
      for (const [name, value] of Object.entries(answer(count))) headers.set(name, value);
      return { headers };
    },
  };
  return { seen, connection: connection as unknown as NatsConnection };
}

test("callers keep that many requests in flight, whatever comes back, until they are stopped", async () => {
  const { seen, connection } = fakeConnection((count): Record<string, string> =>
    count % 2 === 0 ? { "Rpc-Error": "plugin-trapped" } : { "Rpc-Status": "200" },
  );
  const attack = startAttack(connection, { subject: "rpc.hostile.trap", payload: "", concurrency: 8 });
  while (seen.requests < 100) await new Promise((resolve) => setImmediate(resolve));
  const replies = await attack.stop();
  expect(seen.most).toBe(8);
  expect(seen.inFlight).toBe(0);
  expect((replies["ok"] ?? 0) + (replies["plugin-trapped"] ?? 0)).toBe(seen.requests);
});

test("a caller that is told when to try again waits until then, but not when it is stopped", async () => {
  const { seen, connection } = fakeConnection(() => ({
    "Rpc-Error": "plugin-unavailable",
    "Retry-After-Ms": "600000",
  }));
  const attack = startAttack(connection, { subject: "rpc.hostile.loop", payload: "", concurrency: 3 });
  while (seen.inFlight > 0 || seen.requests < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(await attack.stop()).toEqual({ "plugin-unavailable": 3 });
});
