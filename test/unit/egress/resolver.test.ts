import { describe, expect, test } from "vitest";
import { createResolver, type FoundAddresses, type Resolve } from "../../../src/egress/undici/resolver.ts";
import { type DnsAnswer, type DnsServer, startDnsServer } from "../../harness/dns-server.ts";
import { Sender } from "./exchanges.ts";
import { RawServer } from "./raw-server.ts";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const NEVER = new AbortController().signal;

interface Zone extends DnsServer {
  readonly resolve: Resolve;
}

async function zone(records: { readonly A: DnsAnswer; readonly AAAA: DnsAnswer }): Promise<Zone> {
  const server = await startDnsServer((_, type) => records[type]);
  return Object.assign(server, { resolve: createResolver({ servers: [server.address] }) });
}

async function look(resolve: Resolve, name = "name.example"): Promise<FoundAddresses["addresses"]> {
  return (await resolve(name, NEVER)).addresses;
}

describe("a name", () => {
  test("has the addresses of both families", async () => {
    await using dns = await zone({ A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"] });
    expect(await look(dns.resolve)).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    expect(dns.questions.toSorted()).toEqual(["A name.example", "AAAA name.example"]);
  });

  test("of one family has those, and there is nothing to wait for", async () => {
    await using four = await zone({ A: ["192.0.2.1"], AAAA: [] });
    await using six = await zone({ A: [], AAAA: ["2001:db8::1"] });
    expect(await look(four.resolve)).toEqual(["192.0.2.1"]);
    expect(await look(six.resolve)).toEqual(["2001:db8::1"]);
  });

  test.each([
    ["A", { A: ["192.0.2.1"], AAAA: "silence" }, "192.0.2.1"],
    ["AAAA", { A: "silence", AAAA: ["2001:db8::1"] }, "2001:db8::1"],
  ] as const)("whose servers answer for %s alone has what they answered", async (_family, records, address) => {
    await using dns = await zone(records);
    expect(await look(dns.resolve)).toEqual([address]);
  });

  test("waits 50 ms for the other family, and for what comes in that time", async () => {
    const answer = Promise.withResolvers<readonly string[]>();
    await using dns = await zone({ A: ["192.0.2.1"], AAAA: answer.promise });
    const pauses: number[] = [];
    // The time passes only when this test says so: it never does.
    const pause = (ms: number): Promise<void> => {
      pauses.push(ms);
      // By now A is there.
      answer.resolve(["2001:db8::1"]);
      return new Promise(() => undefined);
    };
    const resolve = createResolver({ servers: [dns.address], pause });
    const { addresses, late } = await resolve("name.example", NEVER);
    expect([addresses, await late]).toEqual([["192.0.2.1", "2001:db8::1"], []]);
    // RFC 8305's Resolution Delay.
    expect(new Set(pauses)).toEqual(new Set([50]));
  });

  test("has what comes late, too", async () => {
    const answer = Promise.withResolvers<readonly string[]>();
    await using dns = await zone({ A: answer.promise, AAAA: ["2001:db8::1"] });
    const { addresses, late } = await dns.resolve("name.example", NEVER);
    expect(addresses).toEqual(["2001:db8::1"]);
    answer.resolve(["192.0.2.1"]);
    expect(await late).toEqual(["192.0.2.1"]);
  });

  test("is looked up no longer than it is needed", async () => {
    await using dns = await zone({ A: ["192.0.2.1"], AAAA: "silence" });
    const need = new AbortController();
    const { late } = await dns.resolve("name.example", need.signal);
    need.abort();
    expect(await late).toEqual([]);
  });

  test("may have underscores, as those of services in a Compose file", async () => {
    await using dns = await zone({ A: ["192.0.2.1"], AAAA: [] });
    expect(await look(dns.resolve, "my_service")).toEqual(["192.0.2.1"]);
    expect(dns.questions).toContain("A my_service");
  });
});

describe("a request for a name", () => {
  test("whose servers never answer for AAAA is sent to its A", async () => {
    // Two of them, as machines have: to ask both in vain takes longer than connecting may.
    await using first = await zone({ A: ["127.0.0.1"], AAAA: "silence" });
    await using second = await zone({ A: ["127.0.0.1"], AAAA: "silence" });
    const resolve = createResolver({ servers: [first.address, second.address] });
    await using server = await RawServer.answering(OK);
    await using sender = new Sender(["http://my_service:*", "http://127.0.0.1:*"], { resolve });
    expect(await sender.open(`http://my_service:${server.port}/`).ended).toMatchObject({ kind: "end" });
    expect(server.received).toContain(`host: my_service:${server.port}\r\n`);
  });

  test.each([
    ["may not be dialled", "fd00::1"],
    ["takes no connection", "::1"],
  ])("waits for the other family where the first one %s", async (_what, address) => {
    const answer = Promise.withResolvers<readonly string[]>();
    await using dns = await zone({ A: answer.promise, AAAA: [address] });
    await using server = await RawServer.answering(OK);
    await using sender = new Sender(["http://late.example:*", "http://127.0.0.1:*", "http://[::1]:*"], {
      async resolve(name, signal) {
        const found = await dns.resolve(name, signal);
        expect(found.addresses).toEqual([address]);
        answer.resolve(["127.0.0.1"]);
        return found;
      },
    });
    expect(await sender.open(`http://late.example:${server.port}/`).ended).toMatchObject({ kind: "end" });
  });

  test("whose servers are silent is a time-out of DNS, by the request's time or the host's", async () => {
    await using dns = await zone({ A: "silence", AAAA: "silence" });
    await using other = await zone({ A: "silence", AAAA: "silence" });
    const timeout = { kind: "fail", failure: { code: "DNS-timeout" } };
    for (const servers of [[dns.address], [dns.address, other.address]]) {
      await using sender = new Sender(["http://*"], { resolve: createResolver({ servers }) });
      const ends = [100, 5_000].map((connectMs) => sender.open("http://silent.example/", { connectMs }).ended);
      expect(await Promise.all(ends)).toEqual([timeout, timeout]);
    }
  }, 30_000);

  test("that does not exist is an error that says so", async () => {
    await using dns = await zone({ A: "no such name", AAAA: "no such name" });
    await using sender = new Sender(["http://*"], { resolve: dns.resolve });
    const failure = { code: "DNS-error", detail: "ENOTFOUND" };
    expect(await sender.open("http://none.example/").ended).toEqual({ kind: "fail", failure });
  });
});
