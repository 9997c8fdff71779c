import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { error, openRunner, openShim, type Outcome, type Side, TRAP, value } from "./sides.ts";

/** Where the runner means to differ from the shim: every known case, with what each side does and why. */
interface Departure {
  readonly what: string;
  readonly why: string;
  readonly observe: (side: Side) => Outcome;
  readonly ours: Outcome;
  readonly shims: Outcome;
}

const OK = value();
const REFUSED = error();
const INVALID_SYNTAX = error({ tag: "invalid-syntax" });
const FORBIDDEN = error({ tag: "forbidden" });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

type Fields = InstanceType<Side["wasi"]["http"]["Fields"]>;
type Request = InstanceType<Side["wasi"]["http"]["OutgoingRequest"]>;

const onFields =
  (call: (fields: Fields) => unknown): Departure["observe"] =>
  (side) => {
    const fields = new side.wasi.http.Fields();
    return side.attempt(() => call(fields));
  };

const onRequest =
  (call: (request: Request) => unknown): Departure["observe"] =>
  (side) => {
    const request = new side.wasi.http.OutgoingRequest(new side.wasi.http.Fields());
    return side.attempt(() => call(request));
  };

const THE_HOSTS = "it belongs to the connection, which is the host's";

const FIELDS: readonly Departure[] = [
  ...["te", "Trailer", "transfer-encoding", "Upgrade", "expect", "http2-settings", "Proxy-Authorization"].map(
    (name): Departure => ({
      what: `the field ${name} is forbidden`,
      why: THE_HOSTS,
      observe: onFields((fields) => fields.append(name, bytes("x"))),
      ours: FORBIDDEN,
      shims: OK,
    }),
  ),
  {
    what: "a forbidden field cannot be deleted either",
    why: THE_HOSTS,
    observe: onFields((fields) => fields.delete("connection")),
    ours: FORBIDDEN,
    shims: OK,
  },
  {
    what: "what is not a name cannot be deleted",
    why: "a mistake is told",
    observe: onFields((fields) => fields.delete("a b")),
    ours: INVALID_SYNTAX,
    shims: OK,
  },
  {
    what: "a field that is set to no values is not there",
    why: "so has WASI it: one that is there has at least one value, if an empty one",
    observe: (side) => {
      const fields = new side.wasi.http.Fields();
      side.take(() => fields.set("a", []));
      return side.attempt(() => fields.has("a"));
    },
    ours: value(false),
    shims: value(true),
  },
  ...[Uint8Array.of(0xff), bytes("€")].map((octets): Departure => ({
    what: `a value of the octets ${Buffer.from(octets).toString("hex")} is one`,
    why: "RFC 9110 allows any octet above 0x7f, of whatever encoding",
    observe: onFields((fields) => fields.append("a", octets)),
    ours: OK,
    shims: INVALID_SYNTAX,
  })),
  {
    what: "of two faults in a list, the syntax is told first",
    why: "a list is checked before it is judged; the shim tells the first one",
    observe: (side) =>
      side.attempt(() =>
        side.wasi.http.Fields.fromList([
          ["host", bytes("x")],
          ["a b", bytes("x")],
        ]),
      ),
    ours: INVALID_SYNTAX,
    shims: FORBIDDEN,
  },
  {
    what: "a copy's changes are its own",
    why: "a clone is a deep copy; the shim's shares its list of entries",
    observe: onFields((fields) => {
      fields.clone().append("a", bytes("x"));
      return fields.entries();
    }),
    ours: value([]),
    shims: value([["a", "x"]]),
  },
  {
    what: "more than 1,024 fields are too many",
    why: "what a guest makes the host keep is bounded",
    observe: (side) =>
      side.attempt(() => side.wasi.http.Fields.fromList(Array.from({ length: 1_025 }, () => ["a", bytes("x")]))),
    ours: TRAP,
    shims: value("resource"),
  },
];

const HOST_DECIDES = "the host reads it, in the one way in which it is then used, and refuses it there";

const REQUESTS: readonly Departure[] = [
  ...["M-SEARCH1", "a.b"].map((method): Departure => ({
    what: `${method} is a method`,
    why: "RFC 9110 allows any token",
    observe: onRequest((request) => request.setMethod({ tag: "other", val: method })),
    ours: OK,
    shims: REFUSED,
  })),
  {
    what: "an empty method is not a method",
    why: "a token has at least one character",
    observe: onRequest((request) => request.setMethod({ tag: "other", val: "" })),
    ours: REFUSED,
    shims: OK,
  },
  {
    what: "a scheme may have digits and signs",
    why: "RFC 3986 allows them",
    observe: onRequest((request) => request.setScheme({ tag: "other", val: "coap+tcp" })),
    ours: OK,
    shims: REFUSED,
  },
  {
    what: "an empty scheme is not a scheme",
    why: "RFC 3986 wants a letter",
    observe: onRequest((request) => request.setScheme({ tag: "other", val: "" })),
    ours: REFUSED,
    shims: OK,
  },
  ...["user@example.com", "example.com:65536"].map((authority): Departure => ({
    what: `the authority ${authority} is kept`,
    why: HOST_DECIDES,
    observe: onRequest((request) => request.setAuthority(authority)),
    ours: OK,
    shims: REFUSED,
  })),
  ...['/{a}|"'].map((path): Departure => ({
    what: `the path ${path} is kept`,
    why: HOST_DECIDES,
    observe: onRequest((request) => request.setPathWithQuery(path)),
    ours: OK,
    shims: REFUSED,
  })),
  {
    what: "a path of more than 8,192 characters is refused",
    why: "what a guest makes the host keep is bounded",
    observe: onRequest((request) => request.setPathWithQuery(`/${"a".repeat(8_192)}`)),
    ours: REFUSED,
    shims: OK,
  },
  {
    what: "a body is not finished before its stream is dropped",
    why: "WASI has it as a trap",
    observe: (side) => {
      const body = side.take(() => new side.wasi.http.OutgoingRequest(new side.wasi.http.Fields()).body());
      side.take(() => body.write());
      return side.attempt(() => side.wasi.http.OutgoingBody.finish(body, undefined));
    },
    ours: TRAP,
    shims: OK,
  },
  {
    what: "a second body is refused",
    why: "WASI has it as an error, not as a trap",
    observe: onRequest((request) => {
      request.body();
      return request.body();
    }),
    ours: REFUSED,
    shims: TRAP,
  },
  {
    what: "a body may be finished with trailers that are empty",
    why: "there is nothing in them that could be lost",
    observe: (side) => {
      const request = new side.wasi.http.OutgoingRequest(new side.wasi.http.Fields());
      const body = side.take(() => request.body());
      return side.attempt(() => side.wasi.http.OutgoingBody.finish(body, new side.wasi.http.Fields()));
    },
    ours: OK,
    shims: error({ tag: "internal-error", val: "trailers unsupported" }),
  },
];

const REST: readonly Departure[] = [
  {
    what: "a permit outlives a flush",
    why: "nothing is kept back, so a flush has nothing to do and takes nothing away",
    observe: (side) => {
      const stream = side.wasi.stdout.getStdout();
      side.take(() => stream.checkWrite());
      side.take(() => stream.flush());
      return side.attempt(() => stream.write(bytes("x")));
    },
    ours: OK,
    shims: TRAP,
  },
  {
    what: "a read of nothing at the end of a stream finds nothing",
    why: "the end is found by whoever asks for a byte",
    observe: (side) => side.attempt(() => side.wasi.stdin.getStdin().read(0n)),
    ours: value(""),
    shims: error({ tag: "closed" }),
  },
  {
    what: "a read may ask for as much as a u64 can hold",
    why: "it is bounded here; the shim's numbers end at 2^53",
    observe: (side) => side.attempt(() => side.wasi.stdin.getStdin().read(2n ** 64n - 1n)),
    ours: error({ tag: "closed" }),
    shims: TRAP,
  },
  {
    what: "more than a mebibyte of random bytes is too much",
    why: "what a guest can make the host do is bounded",
    observe: (side) => side.attempt(() => side.wasi.random.getRandomBytes(1_048_577n).length),
    ours: TRAP,
    shims: value(1_048_577),
  },
  {
    what: "the insecure seed is another one each time",
    why: "guests share a process, and must share nothing else",
    observe: (side) => {
      const [seed, next] = [side.wasi.insecureSeed.insecureSeed(), side.wasi.insecureSeed.insecureSeed()];
      return value(seed.join() === next.join());
    },
    ours: value(false),
    shims: value(true),
  },
  {
    what: "there is no directory to be in",
    why: "there is no file system",
    observe: (side) => side.attempt(() => side.wasi.environment.initialCwd()),
    ours: OK,
    shims: value("/"),
  },
  {
    what: "a poll of more than 1,024 pollables is too much",
    why: "what a guest can make the host do is bounded",
    observe: (side) => {
      const pollable = side.wasi.stdin.getStdin().subscribe();
      return side.attempt(() => side.wasi.poll.poll(Array.from({ length: 1_025 }, () => pollable)));
    },
    ours: TRAP,
    shims: value("resource"),
  },
  {
    what: "the monotonic clock ticks in milliseconds",
    why: "a finer clock serves timing attacks",
    observe: (side) => {
      const times = Array.from({ length: 1_000 }, () => side.wasi.monotonicClock.now() % 1_000_000n);
      return value(times.every((rest) => rest === 0n));
    },
    ours: value(true),
    shims: value(false),
  },
];

const NO_SOCKETS = "the network is there and access to it is denied; the shim's has no sockets at all";

const SOCKETS: readonly Departure[] = [
  {
    what: "a TCP socket is denied",
    why: NO_SOCKETS,
    observe: (side) => side.attempt(() => side.wasi.tcp.createTcpSocket("ipv4")),
    ours: error("access-denied"),
    shims: error("not-supported"),
  },
  {
    what: "a UDP socket is denied",
    why: NO_SOCKETS,
    observe: (side) => side.attempt(() => side.wasi.udp.createUdpSocket("ipv6")),
    ours: error("access-denied"),
    shims: error("not-supported"),
  },
  {
    what: "looking a name up is denied",
    why: NO_SOCKETS,
    observe: (side) => {
      const network = side.wasi.instanceNetwork.instanceNetwork();
      return side.attempt(() => side.wasi.lookup.resolveAddresses(network, "localhost"));
    },
    ours: error("access-denied"),
    shims: error("not-supported"),
  },
];

const DEPARTURES = [...FIELDS, ...REQUESTS, ...REST, ...SOCKETS];

describe("on purpose, other than in the shim,", () => {
  it.each(DEPARTURES)("$what: $why", ({ observe, ours, shims }) => {
    expect(observe(openRunner())).toEqual(ours);
    expect(observe(openShim())).toEqual(shims);
    expect(ours).not.toEqual(shims);
  });

  it("each departure has a name of its own", () => {
    expect(new Set(DEPARTURES.map(({ what }) => what)).size).toBe(DEPARTURES.length);
  });
});

it("denies sockets with codes that the WIT names", () => {
  const wit = readFileSync(new URL("../../../../wit/deps/sockets/network.wit", import.meta.url), "utf8");
  const [, cases = ""] = /enum error-code \{(.*?)^\s*\}/ms.exec(wit.replace(/\/\/.*$/gm, "")) ?? [];
  const codes = cases.split(",").map((code) => code.trim());
  for (const { observe } of SOCKETS) {
    const outcome = observe(openRunner());
    expect(codes).toContain(outcome.kind === "error" ? outcome.error : outcome.kind);
  }
});

it("denies a request with an error code, where a sandbox of the shim's throws something else", () => {
  const { handle } = new WASIShim({ sandbox: { enableNetwork: false } }).getImportObject()[
    "wasi:http/outgoing-handler"
  ];
  const { http } = openShim().wasi;
  const thrown = openShim().attempt(() => handle(new http.OutgoingRequest(new http.Fields()), undefined));
  expect(thrown).toEqual(error("access-denied"));
  const ours = openRunner();
  const request = new ours.wasi.http.OutgoingRequest(new ours.wasi.http.Fields());
  expect(ours.attempt(() => ours.wasi.outgoingHandler.handle(request, undefined))).toEqual(
    error({ tag: "HTTP-request-denied" }),
  );
});
