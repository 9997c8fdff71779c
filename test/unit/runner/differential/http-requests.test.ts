import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../../../../src/contract/http.ts";
import { GuestContext } from "../../../../src/runner/guest/guest-context.ts";
import { createImportsFactory } from "../../../../src/runner/imports.ts";
import { expectAgreement, openRunner, openShim, type Side } from "./sides.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";

const TIME_LIMIT = { numRuns: 3_000, interruptAfterTimeLimit: PROPERTY_TIME_MS };

type Request = InstanceType<Side["wasi"]["http"]["OutgoingRequest"]>;

const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"] as const;

function newRequest(side: Side): Request {
  return new side.wasi.http.OutgoingRequest(new side.wasi.http.Fields());
}

function look(request: Request): unknown {
  return [request.method(), request.scheme(), request.authority(), request.pathWithQuery()];
}

/** Strings that some setter takes, and strings that none may. */
const part = fc.oneof(
  fc.webPath(),
  fc.webAuthority({ withIPv4: true, withIPv6: true, withPort: true }),
  fc.webUrl({ withQueryParameters: true }),
  fc.constantFrom("/a?b=c", "*", "PURGE", "coap", "", " ", "/a b", "a\r\nb", "/ü", "a\0", "[::1]:80", "h:65536"),
  fc.string({ unit: "binary-ascii", maxLength: 6 }),
);

/** Each setter with a string, and its getter. */
const SETTERS: Record<string, (request: Request, text: string) => void> = {
  "set-method": (request, text) => request.setMethod({ tag: "other", val: text }),
  "set-scheme": (request, text) => request.setScheme({ tag: "other", val: text }),
  "set-authority": (request, text) => request.setAuthority(text),
  "set-path-with-query": (request, text) => request.setPathWithQuery(text),
};

/** What breaks a request's line on the wire. */
const UNSAFE = /[^\x21-\x7e]/;

describe("an outgoing request", () => {
  it("is a GET for nothing at first", () => {
    expectAgreement((side) => look(newRequest(side)));
  });

  it.each(METHODS)("takes the method %s", (tag) => {
    expectAgreement((side) => {
      const request = newRequest(side);
      return [side.attempt(() => request.setMethod({ tag })), look(request)];
    });
  });

  it.each([undefined, { tag: "HTTP" }, { tag: "HTTPS" }] as const)("takes the scheme %j, twice too", (scheme) => {
    expectAgreement((side) => {
      const request = newRequest(side);
      side.take(() => request.setScheme({ tag: "other", val: "coap" }));
      return [side.attempt(() => request.setScheme(scheme)), look(request)];
    });
  });

  it("forgets its authority and its path when they are set to none", () => {
    expectAgreement((side) => {
      const request = newRequest(side);
      side.take(() => request.setAuthority("example.com:8080"));
      side.take(() => request.setPathWithQuery("/a?b"));
      const before = look(request);
      side.take(() => request.setAuthority(undefined));
      side.take(() => request.setPathWithQuery(undefined));
      return [before, look(request)];
    });
  });

  it("takes an empty path, and no empty authority", () => {
    expectAgreement((side) => {
      const request = newRequest(side);
      return [
        side.attempt(() => request.setPathWithQuery("")),
        side.attempt(() => request.setAuthority("")),
        look(request),
      ];
    });
  });

  it.each(Object.keys(SETTERS))("%s takes and gives back whatever the shim takes", (setter) => {
    const set = SETTERS[setter] as (request: Request, text: string) => void;
    fc.assert(
      fc.property(part, (text) => {
        // The shim takes empty names of methods and schemes: departures.test.ts.
        fc.pre(text !== "" || setter === "set-path-with-query");
        // It also takes paths that begin with anything, and WASI those of a URI with an authority.
        fc.pre(setter !== "set-path-with-query" || /^(?:$|[/?])/.test(text));
        const [ours, theirs] = [openRunner(), openShim()].map((side) => {
          const request = newRequest(side);
          return { outcome: side.attempt(() => set(request, text)), seen: look(request) };
        });
        if (theirs?.outcome.kind === "value" || UNSAFE.test(text)) expect(ours).toEqual(theirs);
      }),
      TIME_LIMIT,
    );
  });

  it.each(Object.keys(SETTERS))("%s keeps what it had where it refuses", (setter) => {
    const set = SETTERS[setter] as (request: Request, text: string) => void;
    expectAgreement((side) => {
      const request = newRequest(side);
      const good = setter === "set-path-with-query" ? "/good" : "good";
      return [
        side.attempt(() => set(request, good)),
        side.attempt(() => set(request, "a b")),
        side.attempt(() => set(request, "a\r\nHost: b")),
        look(request),
      ];
    });
  });

  it("gives its body, and the stream of its body once", () => {
    expectAgreement((side) => {
      const body = side.take(() => newRequest(side).body());
      return [side.attempt(() => body.write()), side.attempt(() => body.write())];
    });
  });

  it("finishes a body whose stream was dropped", () => {
    expectAgreement((side) => {
      const body = side.take(() => newRequest(side).body());
      const stream = side.take(() => body.write());
      side.take(() => stream.checkWrite());
      const written = side.attempt(() => stream.write(new Uint8Array(10)));
      (stream as Partial<Disposable>)[Symbol.dispose]?.();
      const finished = side.attempt(() => side.wasi.http.OutgoingBody.finish(body, undefined));
      return [written, finished];
    });
  });
});

it("asks the host for a slash where the path is empty or none, since that is how it is sent", () => {
  const asked: string[] = [];
  const context = new GuestContext(0);
  context.bind({
    log: () => undefined,
    output: () => undefined,
    capability: () => ({ open: ({ path }: HttpRequest) => void asked.push(path) }),
    trapped: () => undefined,
  });
  const imports = createImportsFactory(["wasi:http/types", "wasi:http/outgoing-handler"])(context);
  const { Fields, OutgoingRequest } = imports["wasi:http/types"] as unknown as Side["wasi"]["http"];
  const { handle } = imports["wasi:http/outgoing-handler"] as unknown as Side["wasi"]["outgoingHandler"];
  for (const path of ["", undefined, "/a", "?q"]) {
    const request = new OutgoingRequest(new Fields());
    request.setPathWithQuery(path);
    handle(request, undefined);
  }
  expect(asked).toEqual(["/", "/", "/a", "/?q"]);
});

describe("request options", () => {
  const duration = fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined });

  it("are absent at first and keep every duration", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(duration, duration, duration), { maxLength: 4 }), (times) => {
        expectAgreement((side) => {
          const options = new side.wasi.http.RequestOptions();
          const read = (): unknown => [
            options.connectTimeout(),
            options.firstByteTimeout(),
            options.betweenBytesTimeout(),
          ];
          const atFirst = read();
          return [
            atFirst,
            times.map(([connect, firstByte, betweenBytes]) => [
              side.attempt(() => options.setConnectTimeout(connect)),
              side.attempt(() => options.setFirstByteTimeout(firstByte)),
              side.attempt(() => options.setBetweenBytesTimeout(betweenBytes)),
              read(),
            ]),
          ];
        });
      }),
      TIME_LIMIT,
    );
  });
});
