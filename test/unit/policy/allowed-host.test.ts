import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALLOWED_HOST_PATTERN, allowedHostProblem } from "../../../src/policy/allowed-host.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const ALLOWED = [
  "https://api.example.com",
  "http://localhost",
  "http://localhost:8080",
  "https://API.Example.com:443",
  "https://*.example.com",
  "https://*:443",
  "https://*",
  "*://api.example.com:8000..8010",
  "http://10.0.0.1:*",
  "http://[::1]:9000",
  "https://xn--bcher-kva.example",
  "https://3com.example",
  "http://my_service:8080",
  "http://_http._tcp.example.com",
  "https://*.my_domain.internal",
  "https://api.example.com.",
  "http://localhost.:8080",
  "https://*.example.com.:443",
  "https://self",
  `https://${"a".repeat(63)}.example`,
  "http://10.0.0.0/8",
  "http://10.0.0.0/8:8080",
  "http://0.0.0.0/0:*",
  "*://[fd00::]/8:80..90",
  "http://[::ffff:10.0.0.0]/104",
];

describe("an allowed host", () => {
  test.each(ALLOWED)("may be %s", (text) => {
    expect(allowedHostProblem(text)).toBeUndefined();
    expect(text).toMatch(new RegExp(ALLOWED_HOST_PATTERN));
  });

  test.each([
    ["", "write scheme://host"],
    ["api.example.com", "write scheme://host"],
    ["api.example.com:443", "write scheme://host"],
    ["ftp://example.com", "as the scheme"],
    ["HTTPS://example.com", "as the scheme"],
    ["https://", "write a host"],
    ["https://:443", "write a host"],
    ["https://example.com/", 'remove "/"'],
    ["https://example.com/v1?x#y", 'remove "/v1?x#y"'],
    ["https://user:pw@example.com", "remove user and password"],
    ["https://user@example.com", "remove user and password"],
    ["https://example.com@evil.example", "remove user and password"],
    ["https://api.*.com", "write * only alone or as the first label"],
    ["https://*example.com", "write * only alone or as the first label"],
    ["https://*.*.com", "write * only alone or as the first label"],
    ["https://*.", "neither a host's name"],
    ["https://*.1.2.3", "neither a host's name"],
    ["https://a..b", "neither a host's name"],
    ["https://a..", "neither a host's name"],
    ["https://.", "neither a host's name"],
    ["https://-a.example", "neither a host's name"],
    ["https://a-.example", "neither a host's name"],
    ["https://a~b.example", "neither a host's name"],
    [`https://${"a".repeat(64)}.example`, "neither a host's name"],
    [`https://${"a.".repeat(126)}aa`, "neither a host's name"],
    ["https://b\u00fccher.example", "neither a host's name"],
    ["http://256.1.1.1", "neither a host's name"],
    ["http://0x7f.1", "neither a host's name"],
    ["http://2130706433", "neither a host's name"],
    ["http://10.0.0.0/33", '"/33" is too long'],
    ["http://10.0.0.0/08", '"/08" is too long'],
    ["http://[::1]/129", '"/129" is too long'],
    ["http://example.com/8", 'remove "/8"'],
    ["http://*/8", 'remove "/8"'],
    ["http://10.0.0.0/8/8", 'remove "/8"'],
    ["http://10.0.0.0/", 'remove "/"'],
    ["http://[::1", "write a host"],
    ["http://[fe80::1%eth0]", "write an IPv6 address"],
    ["http://[127.0.0.1]", "write an IPv6 address"],
    ["*://example.com", "write a port"],
    ["https://example.com:", "write a port"],
    ["https://example.com:0", "write a port"],
    ["https://example.com:65536", "write a port"],
    ["https://example.com:80..79", "write a port"],
    ["https://example.com:80..80", "which ends before 8010"],
    ["https://example.com:80..65537", "write a port"],
    ["https://example.com:080", "write a port"],
    ["https://example.com\n", "neither a host's name"],
    ["https://example.com:443\n", "write a port"],
  ])("may not be %j", (text, problem) => {
    expect(allowedHostProblem(text)).toContain(problem);
  });

  test("never holds white space, user information, a path, a query or a fragment", () => {
    const fragment = fc.constantFrom(
      "https://",
      "http:",
      "//",
      "*",
      "a.b",
      ":",
      "@",
      "/",
      "?",
      "#",
      "[::1]",
      " ",
      "\n",
      "80",
      "..",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        if (allowedHostProblem(text) !== undefined) return;
        expect(text).toMatch(new RegExp(ALLOWED_HOST_PATTERN));
        expect(text.slice(text.indexOf("://") + 3)).toMatch(/^[a-z0-9_.*:[\]-]+(\/[0-9]+(:[0-9.*]+)?)?$/i);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 10_000 },
    );
  });
});
