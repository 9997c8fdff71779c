import { describe, expect, test } from "vitest";
import type { HttpToGuest } from "../../../../src/capabilities/outbound-http/messages.ts";
import { Violation } from "../../../../src/channel/violation.ts";
import type { HttpExchange, HttpRequest, HttpSink } from "../../../../src/contract/http.ts";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { HttpLink } from "../../../../src/capabilities/outbound-http/host/link.ts";
import type { BrokeredCall, LinkOptions } from "../../../../src/capabilities/host-side.ts";
import { gateGiving } from "../brokered.ts";

const WINDOW = FIXED_LIMITS.httpWindowBytes;

const REQUEST: HttpRequest = {
  method: "GET",
  scheme: "http",
  authority: "a.example",
  path: "/",
  fields: [],
  hasBody: true,
  connectMs: undefined,
  firstByteMs: undefined,
  betweenBytesMs: undefined,
};

/** A call whose exchanges only remember. */
class RecordingCall {
  readonly sinks: HttpSink[] = [];
  readonly told: string[] = [];

  readonly gate = gateGiving(this);

  open(_request: HttpRequest, sink: HttpSink): HttpExchange {
    this.sinks.push(sink);
    return {
      write: (bytes) => this.told.push(`write ${bytes.length}`),
      finish: () => this.told.push("finish"),
      read: (bytes) => this.told.push(`read ${bytes}`),
      abort: () => this.told.push("abort"),
    };
  }
}

/** A link to which every call is this one; `undefined`: nobody waits for it any more. */
function linkOf(call: () => object | undefined, sent: HttpToGuest[] = []): HttpLink {
  const parts: Pick<LinkOptions, "send"> & { readonly calls: Pick<LinkOptions["calls"], "use"> } = {
    calls: { use: () => call() as BrokeredCall | undefined },
    send: (message) => sent.push(message as HttpToGuest),
  };
  return new HttpLink(parts as LinkOptions);
}

function stage() {
  const sent: HttpToGuest[] = [];
  const call = new RecordingCall();
  const waiting: { call: RecordingCall | undefined } = { call };
  const exchanges = linkOf(() => waiting.call, sent);
  const open = (exchange: number, callId = 1): Violation | undefined =>
    exchanges.receive({ kind: "http-request", call: callId, exchange, request: REQUEST });
  const body = (exchange: number, bytes: number): Violation | undefined =>
    exchanges.receive({ kind: "http-body", exchange, bytes: Buffer.alloc(bytes) });
  return { sent, call, waiting, exchanges, open, body };
}

describe("the exchanges of a runner", () => {
  test("are passed on in both directions", () => {
    const { sent, call, exchanges, open, body } = stage();
    open(1);
    body(1, 5);
    exchanges.receive({ kind: "http-finish", exchange: 1 });
    const [sink] = call.sinks;
    sink?.wanted(5);
    sink?.response({ status: 200, fields: [] });
    sink?.chunk(Buffer.from("ok"));
    exchanges.receive({ kind: "http-read", exchange: 1, bytes: 2 });
    sink?.end([]);
    expect(call.told).toEqual(["write 5", "finish", "read 2"]);
    expect(sent.map(({ kind }) => kind)).toEqual(["http-wanted", "http-response", "http-chunk", "http-end"]);
  });

  test("end a runner that numbers one twice, or speaks of one that it never began", () => {
    const { exchanges, open, body } = stage();
    open(1);
    open(2);
    expect(open(2)).toBeInstanceOf(Violation);
    expect(open(1)).toBeInstanceOf(Violation);
    expect(body(3, 1)).toBeInstanceOf(Violation);
    for (const kind of ["http-finish", "http-abort"] as const)
      expect(exchanges.receive({ kind, exchange: 4 })).toBeInstanceOf(Violation);
  });

  test("are as many in one call as a guest can have, ended or not, and no more", () => {
    const { call, exchanges, open } = stage();
    for (let exchange = 1; exchange <= FIXED_LIMITS.httpRequests; exchange++) {
      expect(open(exchange)).toBeUndefined();
      exchanges.receive({ kind: "http-abort", exchange });
    }
    expect(open(FIXED_LIMITS.httpRequests + 1)).toMatchObject({
      reason: expect.stringContaining("more outbound requests") as string,
    });
    expect(call.sinks).toHaveLength(FIXED_LIMITS.httpRequests);
    expect(open(FIXED_LIMITS.httpRequests + 2, 2)).toBeUndefined();
  });

  test("may be numbered around the end of the numbers", () => {
    const { open, body } = stage();
    open(0x7fff_ffff);
    open(0xffff_fffe);
    open(2);
    body(0xffff_fffe, 1);
    expect(open(0xffff_ffff)).toBeInstanceOf(Violation);
  });

  test("end a runner that sends more of a body than was wanted", () => {
    const { call, open, body } = stage();
    open(1);
    body(1, WINDOW);
    call.sinks[0]?.wanted(10);
    body(1, 10);
    expect(body(1, 1)).toBeInstanceOf(Violation);
  });

  test("end a runner that asks for more of a response than a window holds", () => {
    const { call, exchanges, open } = stage();
    const read = (bytes: number): Violation | undefined => exchanges.receive({ kind: "http-read", exchange: 1, bytes });
    open(1);
    expect(read(1)).toBeInstanceOf(Violation);
    const again = stage();
    again.open(1);
    again.call.sinks[0]?.chunk(Buffer.alloc(10));
    again.exchanges.receive({ kind: "http-read", exchange: 1, bytes: 10 });
    expect(again.exchanges.receive({ kind: "http-read", exchange: 1, bytes: 0xffff_ffff })).toBeInstanceOf(Violation);
    expect(call.told).toEqual([]);
  });

  test("ignore what was on its way when they ended, and what a cancelled call asks for", () => {
    const { sent, call, waiting, exchanges, open, body } = stage();
    open(1);
    call.sinks[0]?.fail({ code: "HTTP-request-denied" });
    body(1, 1);
    exchanges.receive({ kind: "http-abort", exchange: 1 });
    call.sinks[0]?.chunk(Buffer.alloc(1));
    call.sinks[0]?.end([]);
    expect(call.told).toEqual([]);
    expect(sent).toEqual([{ kind: "http-failed", exchange: 1, failure: { code: "HTTP-request-denied" } }]);
    waiting.call = undefined;
    open(2, 7);
    body(2, 1);
    expect(sent).toHaveLength(1);
  });

  test("end a runner that sends more behind an end than could be on its way", () => {
    const late = (): ReturnType<typeof stage> => {
      const staged = stage();
      staged.open(1);
      staged.call.sinks[0]?.fail({ code: "HTTP-request-denied" });
      return staged;
    };
    const flooding = late();
    flooding.body(1, WINDOW);
    expect(flooding.body(1, 1)).toBeInstanceOf(Violation);
    const finishing = late();
    finishing.exchanges.receive({ kind: "http-finish", exchange: 1 });
    expect(finishing.exchanges.receive({ kind: "http-finish", exchange: 1 })).toBeInstanceOf(Violation);
    const aborting = late();
    aborting.exchanges.receive({ kind: "http-abort", exchange: 1 });
    expect(aborting.exchanges.receive({ kind: "http-abort", exchange: 1 })).toBeInstanceOf(Violation);
  });

  test("end a runner that speaks of no bytes, which it could do without end", () => {
    const { exchanges, open, body } = stage();
    open(1);
    expect(body(1, 0)).toBeInstanceOf(Violation);
    expect(exchanges.receive({ kind: "http-read", exchange: 1, bytes: 0 })).toBeInstanceOf(Violation);
  });

  test("of a cancelled call are aborted at once, and spoken of until nothing of it can be on its way", () => {
    const { sent, call, exchanges, open, body } = stage();
    open(1);
    exchanges.cancelCall(1);
    expect(call.told).toEqual(["abort"]);
    body(1, 1);
    call.sinks[0]?.end([]);
    expect([call.told, sent]).toEqual([["abort"], []]);
    exchanges.forgetCall(1);
    expect(body(1, 1)).toBeInstanceOf(Violation);
  });

  test("are aborted with their call, and others are not", () => {
    const { sent, call, exchanges, open } = stage();
    open(1, 1);
    open(2, 2);
    exchanges.endCall(1);
    expect(call.told).toEqual(["abort"]);
    call.sinks[0]?.end([]);
    expect(sent).toEqual([]);
    exchanges.endAll();
    expect(call.told).toEqual(["abort", "abort"]);
  });

  test("that are refused at once are forgotten at once", () => {
    const sent: HttpToGuest[] = [];
    const refusing = {
      open: (_: HttpRequest, sink: HttpSink) => {
        sink.fail({ code: "HTTP-request-denied" });
        return { write: fail, finish: fail, read: fail, abort: fail };
      },
    };
    const exchanges = linkOf(() => ({ gate: gateGiving(refusing) }), sent);
    exchanges.receive({ kind: "http-request", call: 1, exchange: 1, request: REQUEST });
    exchanges.receive({ kind: "http-finish", exchange: 1 });
    exchanges.endCall(1);
    expect(sent).toHaveLength(1);
  });

  test("copy what they pass on, since a frame is a view of something larger", () => {
    const written: Uint8Array[] = [];
    const gate = {
      open: () => ({ write: (bytes: Uint8Array) => written.push(bytes), finish: fail, read: fail, abort: fail }),
    };
    const exchanges = linkOf(() => ({ gate: gateGiving(gate) }));
    exchanges.receive({ kind: "http-request", call: 1, exchange: 1, request: REQUEST });
    const chunk = Buffer.alloc(64 * 1024, "x");
    exchanges.receive({ kind: "http-body", exchange: 1, bytes: chunk.subarray(10, 11) });
    expect(written[0]?.buffer).not.toBe(chunk.buffer);
  });
});

function fail(): never {
  throw new TypeError("nothing is asked of it");
}
