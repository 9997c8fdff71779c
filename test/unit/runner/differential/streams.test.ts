import fc from "fast-check";
import { describe, it } from "vitest";
import { expectAgreement, type Outcome, type Side } from "./sides.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";

const TIME_LIMIT = { numRuns: 1_000, interruptAfterTimeLimit: PROPERTY_TIME_MS };

type OutputStream = ReturnType<Side["wasi"]["stdout"]["getStdout"]>;
type InputStream = ReturnType<Side["wasi"]["stdin"]["getStdin"]>;

/** Around WASI's bound of a blocking write, and around what one check permits. */
const size = fc.oneof(
  fc.constantFrom(0, 1, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537),
  fc.integer({ min: 0, max: 5_000 }),
);

const write = fc.record({
  kind: fc.constantFrom("write", "writeZeroes", "blockingWriteAndFlush", "blockingWriteZeroesAndFlush"),
  size,
});
const plainStep = fc.record({ kind: fc.constantFrom("checkWrite", "blockingFlush", "flush"), size: fc.constant(0) });
const step = fc.oneof({ weight: 2, arbitrary: plainStep }, { weight: 3, arbitrary: write });
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;

/** So long that the longest sequence has no more lines than the runner logs of one call. */
const LINE = `${"some text of a guest, line by line; ".repeat(28)}\n`;

function lines(bytes: number): Uint8Array {
  return Buffer.alloc(bytes, LINE);
}

function perform(stream: OutputStream, { kind, size }: Step): unknown {
  switch (kind) {
    case "checkWrite":
      return stream.checkWrite();
    case "flush":
      // What is left of a permit is not the same after it: departures.test.ts.
      stream.flush();
      return stream.checkWrite();
    case "blockingFlush":
      return stream.blockingFlush();
    case "write":
      return stream.write(lines(size));
    case "writeZeroes":
      return stream.writeZeroes(BigInt(size));
    case "blockingWriteAndFlush":
      return stream.blockingWriteAndFlush(lines(size));
    case "blockingWriteZeroesAndFlush":
      return stream.blockingWriteZeroesAndFlush(BigInt(size));
  }
}

/** A trap ends the guest, and so the sequence. */
function performAll(side: Side, steps: readonly Step[]): readonly Outcome[] {
  const stream = side.wasi.stdout.getStdout();
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    const outcome = side.attempt(() => perform(stream, step));
    outcomes.push(outcome);
    if (outcome.kind === "trap") break;
  }
  return outcomes;
}

describe("standard output", () => {
  it("permits, takes and traps the same in any sequence of writes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        expectAgreement((side) => [performAll(side, steps), side.outputLines()]);
      }),
      TIME_LIMIT,
    );
  });

  it("is ready to be written from the start", () => {
    expectAgreement((side) => side.attempt(() => side.wasi.stdout.getStdout().subscribe().ready()));
  });

  it("tells by a splice that the input is at its end", () => {
    expectAgreement((side) => {
      const [output, input] = [side.wasi.stdout.getStdout(), side.wasi.stdin.getStdin()];
      return [side.attempt(() => output.splice(input, 8n)), side.attempt(() => output.blockingSplice(input, 8n))];
    });
  });
});

describe("standard input", () => {
  const READS: Array<(stream: InputStream, length: bigint) => unknown> = [
    (stream, length) => stream.read(length),
    (stream, length) => stream.blockingRead(length),
    (stream, length) => stream.skip(length),
    (stream, length) => stream.blockingSkip(length),
  ];

  it("is at its end, however it is read and however often", () => {
    const read = fc.tuple(fc.nat({ max: READS.length - 1 }), fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }));
    fc.assert(
      fc.property(fc.array(read, { minLength: 1, maxLength: 6 }), (reads) => {
        expectAgreement((side) => {
          const stream = side.wasi.stdin.getStdin();
          return reads.map(([index, length]) => side.attempt(() => READS[index]?.(stream, length)));
        });
      }),
      TIME_LIMIT,
    );
  });

  it.each([-1n, 2n ** 64n])("traps on a length of %s, which is not a u64", (length) => {
    expectAgreement((side) => READS.map((read) => side.attempt(() => read(side.wasi.stdin.getStdin(), length))));
  });

  it("is ready to be read from the start", () => {
    expectAgreement((side) => side.attempt(() => side.wasi.stdin.getStdin().subscribe().ready()));
  });
});
