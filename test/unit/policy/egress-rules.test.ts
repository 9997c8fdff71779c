import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allowedHostProblem, type HttpScheme } from "../../../src/policy/allowed-host.ts";
import { createEgressRules, type EgressDecision } from "../../../src/policy/egress-rules.ts";
import { parseHttpTarget } from "../../../src/policy/http-target.ts";
import type { AllowedHost } from "../../../src/policy/policy.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** What a policy with these hosts says of `GET scheme://authority/`. */
function decide(hosts: readonly AllowedHost[], url: string, method = "GET"): EgressDecision {
  const [scheme = "", authority = ""] = url.split("://");
  const target = parseHttpTarget(scheme as HttpScheme, authority);
  if (target === undefined) return { kind: "refused", by: "target", reason: "it is not a target" };
  return createEgressRules(hosts).decide(target, method);
}

function allows(hosts: readonly AllowedHost[], url: string, method?: string): boolean {
  return decide(hosts, url, method).kind === "allowed";
}

/** May a request for `url` be sent to `address`? */
function dials(hosts: readonly AllowedHost[], url: string, address: string): boolean {
  const decision = decide(hosts, url);
  return decision.kind === "allowed" && decision.dial.decide(address).kind === "allowed";
}

const EVERYTHING = ["*://*:*"];

describe("the target of a request", () => {
  test.each([
    [["https://api.example.com"], "https://api.example.com", true],
    [["https://api.example.com"], "https://API.Example.COM", true],
    [["https://API.example.com"], "https://api.example.com.", true],
    [["https://api.example.com."], "https://api.example.com", true],
    [["https://*.example.com."], "https://a.example.com.", true],
    [["http://my_service:8080"], "http://My_Service.:8080", true],
    [["http://*.my_net"], "http://_dns.my_net", true],
    [["https://api.example.com"], "https://api.example.com:443", true],
    [["https://api.example.com"], "https://api.example.com:8443", false],
    [["https://api.example.com"], "http://api.example.com", false],
    [["https://api.example.com"], "http://api.example.com:443", false],
    [["https://api.example.com"], "https://api.example.com.evil.example", false],
    [["https://api.example.com"], "https://xapi.example.com", false],
    [["https://*.example.com"], "https://a.example.com", true],
    [["https://*.example.com"], "https://a.b.example.com", true],
    [["https://*.example.com"], "https://example.com", false],
    [["https://*.example.com"], "https://xexample.com", false],
    [["https://*"], "https://anything.example", true],
    [["https://*"], "http://anything.example", false],
    [["https://*"], "https://8.8.8.8", true],
    [["*://a.example:80..90"], "http://a.example", true],
    [["*://a.example:80..90"], "https://a.example:89", true],
    [["*://a.example:80..90"], "https://a.example:90", false],
    [["*://a.example:*"], "https://a.example:65535", true],
    [["http://8.8.0.0/16"], "http://8.8.4.4", true],
    [["http://8.8.0.0/16"], "http://8.9.4.4", false],
    [["http://8.8.0.0/16"], "http://name.example", false],
    [["http://8.8.8.8"], "http://0x08080808", true],
    [["http://8.8.8.8"], "http://134744072", true],
    [["http://8.8.8.8"], "http://8.8.2056", true],
    [["http://[2606:4700::]/32"], "http://[2606:4700::1111]", true],
    [[], "https://api.example.com", false],
    [["nonsense"], "https://api.example.com", false],
  ])("under %j, %s is allowed: %s", (hosts, url, allowed) => {
    expect(allows(hosts, url)).toBe(allowed);
  });

  test("can be named by a policy as it is told, whatever a request may ask for", () => {
    const label = fc.string({ unit: fc.constantFrom(..."aZ09-_~".split("")), minLength: 1, maxLength: 4 });
    const name = fc.array(fc.oneof(label, fc.constantFrom("self", "xn--bcher-kva", "a".repeat(64))), {
      minLength: 1,
      maxLength: 4,
    });
    const host = fc.oneof(
      fc.tuple(name, fc.constantFrom("", ".", "..")).map(([labels, end]) => labels.join(".") + end),
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const port = fc.constantFrom("", ":", ":80", ":443", ":8080", ":080");
    let targets = 0;
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), host, port, (scheme, written, behind) => {
        const target = parseHttpTarget(scheme, written + behind);
        if (target === undefined) return;
        targets += 1;
        expect([target.origin, allowedHostProblem(target.origin)]).toEqual([target.origin, undefined]);
        expect(createEgressRules([target.origin]).decide(target, "GET").kind).toBe("allowed");
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
    expect(targets).toBeGreaterThan(1_000);
  });

  test("may be limited to methods", () => {
    const hosts: AllowedHost[] = [{ target: "https://a.example", methods: ["GET", "HEAD"] }, "https://b.example"];
    expect(allows(hosts, "https://a.example", "GET")).toBe(true);
    expect(allows(hosts, "https://a.example", "POST")).toBe(false);
    expect(allows(hosts, "https://b.example", "PROPFIND")).toBe(true);
  });

  test("that is refused is told why", () => {
    const hosts: AllowedHost[] = [{ target: "https://a.example", methods: ["GET"] }, "http://*:*"];
    expect(decide(hosts, "https://b.example")).toMatchObject({
      by: "target",
      reason: "the policy allows no https://b.example",
    });
    expect(decide(hosts, "https://a.example", "POST")).toMatchObject({
      by: "target",
      reason: "the policy allows no POST to https://a.example",
    });
    expect(decide(hosts, "http://[::1]:80")).toMatchObject({
      by: "address",
      reason: "the host in http://[::1] is a loopback address, and the policy does not name it",
    });
  });
});

/** Addresses that are not of the internet, however they are written. */
const CLOSED = [
  "127.0.0.1",
  "127.1",
  "0x7f.1",
  "0177.0.0.1",
  "2130706433",
  "0x7f000001",
  "127.255.255.255",
  "0",
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "167772161",
  "100.64.0.1",
  "100.100.100.200",
  "168.63.129.16",
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "169.254.43518",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.168.0.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::7f00:1]",
  "[::127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:8.8.8.8]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b::169.254.169.254]",
  "[64:ff9b::8.8.8.8]",
  "[64:ff9b:1::1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[fe80::1]",
  "[fec0::1]",
  "[fd00:ec2::254]",
  "[fc00::1]",
  "[ff02::1]",
  "[100::1]",
  "[4000::1]",
  "[8000::1]",
];

describe("an address that is not of the internet", () => {
  test.each(CLOSED)("%s is refused where the policy allows everything", (host) => {
    expect(decide(EVERYTHING, `http://${host}`)).toMatchObject({ kind: "refused", by: "address" });
    expect(allows(["http://*", "http://0.0.0.0/0", "http://[::]/0"], `http://${host}`)).toBe(false);
  });

  test.each(CLOSED)("%s is not dialled for a name, whatever the name resolves to", (host) => {
    const address = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "");
    for (const hosts of [EVERYTHING, ["http://rebind.example"], ["http://*.example"], ["http://localhost:*"]])
      expect(dials(hosts, "http://rebind.example", address)).toBe(false);
  });

  test("is dialled where the policy names the address, and only that", () => {
    expect(allows(["http://127.0.0.1:8080"], "http://127.0.0.1:8080")).toBe(true);
    expect(allows(["http://127.0.0.1:8080"], "http://0x7f.1:8080")).toBe(true);
    expect(allows(["http://127.0.0.1:8080"], "http://127.0.0.2:8080")).toBe(false);
    expect(allows(["http://127.0.0.1:8080"], "http://[::ffff:127.0.0.1]:8080")).toBe(false);
    expect(allows(["http://[::ffff:127.0.0.1]"], "http://[::ffff:7f00:1]")).toBe(true);
  });

  test("is dialled where the policy names a block within the special one", () => {
    expect(allows(["http://10.0.0.0/8"], "http://10.1.2.3")).toBe(true);
    expect(allows(["http://10.1.0.0/16"], "http://10.1.2.3")).toBe(true);
    expect(allows(["http://[fd00::]/8"], "http://[fd00:ec2::254]")).toBe(true);
    // Wider than what it would open: nobody named private addresses here.
    expect(allows(["http://10.0.0.0/7"], "http://10.1.2.3")).toBe(false);
    expect(allows(["http://[8000::]/1"], "http://[fd00::1]")).toBe(false);
  });

  test("is dialled for a name only where the policy names it as well, for the same scheme, port and method", () => {
    const hosts: AllowedHost[] = [
      "http://internal.example:8080",
      { target: "http://10.0.0.0/8:8080", methods: ["GET"] },
      "http://10.0.0.0/8:9090",
    ];
    expect(dials(hosts, "http://internal.example:8080", "10.1.2.3")).toBe(true);
    expect(dials(hosts, "http://internal.example:8080", "192.168.0.1")).toBe(false);
    const posted = decide(hosts, "http://internal.example:8080", "POST");
    expect(posted.kind === "allowed" && posted.dial.decide("10.1.2.3").kind).toBe("refused");
    expect(
      dials(["http://internal.example:8080", "http://10.0.0.0/8"], "http://internal.example:8080", "10.1.2.3"),
    ).toBe(false);
  });

  test("is loopback where the policy writes localhost and the plugin asks for localhost", () => {
    expect(dials(["http://localhost"], "http://localhost", "127.0.0.1")).toBe(true);
    expect(dials(["http://localhost"], "http://LOCALHOST.", "::1")).toBe(true);
    expect(dials(["http://localhost"], "http://localhost", "10.0.0.1")).toBe(false);
    expect(dials(["http://localhost"], "http://localhost", "169.254.169.254")).toBe(false);
    expect(dials(["http://*"], "http://localhost", "127.0.0.1")).toBe(false);
    expect(dials(["http://*.localhost"], "http://a.localhost", "127.0.0.1")).toBe(false);
    expect(dials(["http://a.localhost"], "http://a.localhost", "127.0.0.1")).toBe(false);
    expect(allows(["http://localhost"], "http://127.0.0.1")).toBe(false);
    expect(dials(["http://*", "http://localhost"], "http://rebind.example", "127.0.0.1")).toBe(false);
  });

  test("opens connections that no other request may use", () => {
    const hosts: AllowedHost[] = ["http://*:*", "http://127.0.0.1:*"];
    const one = decide(hosts, "http://a.example");
    const other = decide(["http://*:*"], "http://a.example");
    if (one.kind !== "allowed" || other.kind !== "allowed") expect.unreachable();
    expect(one.dial.key).not.toBe(other.dial.key);
    expect(decide([...hosts].toReversed(), "http://a.example")).toMatchObject({ dial: { key: one.dial.key } });
  });

  test.each(["", "name.example", "127.0.0.1%eth0", "1.2.3", "undefined"])(
    "is anything that is not an address: %j",
    (text) => {
      expect(dials(EVERYTHING, "http://a.example", text)).toBe(false);
    },
  );
});

describe("the rules", () => {
  const host = fc.constantFrom("a.example", "*.example", "*", "10.0.0.0/8", "127.0.0.1", "localhost", "[fd00::]/8");
  const entry: fc.Arbitrary<AllowedHost> = fc
    .record({ scheme: fc.constantFrom("http", "https", "*"), host, port: fc.constantFrom("*", "80", "80..90") })
    .chain((parts) => {
      const target = `${parts.scheme}://${parts.host}:${parts.port}`;
      return fc.constantFrom<AllowedHost>(target, { target, methods: ["GET"] });
    });
  const url = fc
    .tuple(
      fc.constantFrom("http", "https"),
      fc.constantFrom("a.example", "b.example", "localhost", "10.0.0.1", "127.1"),
    )
    .map(([scheme, name]) => `${scheme}://${name}:80`);
  const address = fc.constantFrom("10.0.0.1", "127.0.0.1", "8.8.8.8", "169.254.169.254", "fd00::1", "::1");

  test("allow no more where an entry is taken away", () => {
    fc.assert(
      fc.property(fc.array(entry), fc.nat(), url, address, (hosts, index, asked, dialled) => {
        const fewer = hosts.toSpliced(index % Math.max(1, hosts.length), 1);
        if (allows(fewer, asked)) expect(allows(hosts, asked)).toBe(true);
        if (dials(fewer, asked, dialled)) expect(dials(hosts, asked, dialled)).toBe(true);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
  });

  test("allow the same in whatever order they are written", () => {
    fc.assert(
      fc.property(fc.array(entry), url, address, (hosts, asked, dialled) => {
        expect(dials(hosts.toReversed(), asked, dialled)).toBe(dials(hosts, asked, dialled));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 },
    );
  });

  test("never dial an address of a name that the policy would not allow as an address, but for localhost", () => {
    fc.assert(
      fc.property(fc.array(entry), address, (hosts, dialled) => {
        const literal = dialled.includes(":") ? `[${dialled}]` : dialled;
        const isPublic = dialled === "8.8.8.8";
        if (dials(hosts, "http://a.example:80", dialled) && !isPublic)
          expect(allows(hosts, `http://${literal}:80`)).toBe(true);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
  });
});
