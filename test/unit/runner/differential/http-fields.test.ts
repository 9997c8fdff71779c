import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectAgreement, type Side } from "./sides.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";

const TIME_LIMIT = { numRuns: 2_000, interruptAfterTimeLimit: PROPERTY_TIME_MS };

/** Names that both know, in several spellings, the three that both forbid, and some that are invalid. */
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("accept", "Accept", "ACCEPT", "x-one", "X-One", "!#$%&'*+-.^_`|~09") },
  { weight: 1, arbitrary: fc.constantFrom("Host", "connection", "Keep-Alive") },
  { weight: 1, arbitrary: fc.constantFrom("", " ", "a b", "a:b", "a\n", "\r\na", "ü", "a\0", "(a)", "é€") },
);
const goodName = fc.constantFrom("accept", "ACCEPT", "X-One", "x-two");

/** Values of the code points that both can tell apart, in UTF-8. */
const goodValue = fc
  .string({ unit: fc.constantFrom("\t", " ", "a", "Z", "0", ",", ";", "=", '"', "\\", "~", "\u0080", "ÿ") })
  .map(utf8);
const value = fc.oneof(
  { weight: 3, arbitrary: goodValue },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCodePoint(code)) })
      .map(utf8),
  },
);

const operation = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), name, value }),
  fc.record({ kind: fc.constant("set" as const), name, values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant("delete" as const), name: goodName }),
  fc.record({ kind: fc.constant("clone" as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Kind> ? Kind : never;
type Fields = InstanceType<Side["wasi"]["http"]["Fields"]>;

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const NAMES_ASKED = ["accept", "Accept", "x-one", "X-TWO", "host", "", "a b"];

function look(side: Side, fields: Fields): unknown {
  return {
    entries: side.attempt(() => fields.entries()),
    values: NAMES_ASKED.map((asked) => side.attempt(() => fields.get(asked))),
    has: NAMES_ASKED.map((asked) => side.attempt(() => fields.has(asked))),
  };
}

function requestHeaders(side: Side): Fields {
  const fields = side.take(() => side.wasi.http.Fields.fromList([["Accept", utf8("a")]]));
  return new side.wasi.http.OutgoingRequest(fields).headers();
}

function apply(side: Side, fields: Fields, operations: readonly Operation[]): unknown {
  let current = fields;
  return operations.map((operation) => {
    if (operation.kind === "clone") current = side.take(() => current.clone());
    else return [side.attempt(() => change(current, operation)), look(side, current)];
    return look(side, current);
  });
}

function change(fields: Fields, operation: Exclude<Operation, { kind: "clone" }>): void {
  if (operation.kind === "append") return fields.append(operation.name, operation.value);
  if (operation.kind === "set") return fields.set(operation.name, operation.values);
  return fields.delete(operation.name);
}

describe("fields", () => {
  it("hold the same after any sequence of changes, and refuse the same ones with the same error", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        expectAgreement((side) => apply(side, new side.wasi.http.Fields(), operations));
      }),
      TIME_LIMIT,
    );
  });

  it("are made of the same lists, in the order given", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(goodName, goodValue), { maxLength: 10 }), (list) => {
        expectAgreement((side) =>
          look(
            side,
            side.take(() => side.wasi.http.Fields.fromList(list)),
          ),
        );
      }),
      TIME_LIMIT,
    );
  });

  it("are refused for a list with one fault in it, by the same error", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(goodName, goodValue), { maxLength: 4 }), name, value, (list, name, value) => {
        expectAgreement((side) => side.attempt(() => side.wasi.http.Fields.fromList([...list, [name, value]])));
      }),
      TIME_LIMIT,
    );
  });

  it("take any name of ASCII characters, or not, as the other side does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 3 }), (name) => {
        fc.pre(name.toLowerCase() !== "te");
        expectAgreement((side) => side.attempt(() => new side.wasi.http.Fields().append(name, utf8("x"))));
      }),
      TIME_LIMIT,
    );
  });

  it("cannot be changed once they are a request's, while copies of them can", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
        expectAgreement((side) => {
          const [headers, others] = [requestHeaders(side), requestHeaders(side)];
          return [apply(side, headers, operations), apply(side, others.clone(), operations)];
        });
      }),
      TIME_LIMIT,
    );
  });
});

it("would not agree if the sides differed", () => {
  const append = (side: Side): unknown => side.attempt(() => new side.wasi.http.Fields().append("te", utf8("x")));
  expect(() => expectAgreement(append)).toThrow(/deeply equal/);
});
