import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REDACTED, scrubSecrets } from "../../../src/telemetry/redaction.ts";
import { threadCpuMs } from "../../harness/clocks.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

describe("scrubSecrets", () => {
  test.each([
    ["a password with an at sign", "connect mongodb://u:p@ss@h failed", "connect mongodb://***@h failed"],
    ["a password with a slash", "connect mongodb://u:p/w@h failed", "connect mongodb://***@h failed"],
    ["a URL behind a harmless one", "http://ok/,nats://u:p@h", "http://ok/,nats://***@h"],
    ["a URL in quotes", 'cannot use "nats://u:p@h"', 'cannot use "nats://***@h"'],
  ])("hides %s", (_, text, scrubbed) => {
    expect(scrubSecrets(text)).toBe(scrubbed);
  });

  test("leaves paths of scoped packages and mail addresses alone", () => {
    const text = "at file:///srv/node_modules/@scope/pkg/lib/x.js:1:2 for someone@example.org";
    expect(scrubSecrets(text)).toBe(text);
  });

  test("hides any password, wherever it is in a text", () => {
    const password = fc.stringMatching(/^[A-Za-z0-9/@:?#%&+$!,;'<>[\]{}|^~*]{1,20}$/);
    fc.assert(
      fc.property(password, fc.lorem(), (secret, around) => {
        const scrubbed = scrubSecrets(`${around} mongodb://someone:${secret}@host/db ${around}`);
        expect(scrubbed).toContain(`//${REDACTED}@`);
        expect(scrubbed).not.toContain(`someone:`);
        expect(scrubbed).toBe(`${around} mongodb://${REDACTED}@host/db ${around}`);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("takes linear time for text that is made to be slow", () => {
    const hostile = `${"//a:".repeat(250_000)}@`;
    const startedMs = threadCpuMs();
    scrubSecrets(hostile);
    scrubSecrets(`${"?password".repeat(100_000)}=`);
    scrubSecrets(`${"//a/".repeat(250_000)}@`);
    expect(threadCpuMs() - startedMs).toBeLessThan(2_000);
  });
});
