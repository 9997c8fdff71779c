/**
 * What the contract promises holds for every language, on both engines: fresh state and fresh randomness for each
 * request, whatever the ones before it did, and the same answers. With `AUDIT=1` in the environment (the vitest project
 * `audited`) every instance that the linker puts back is compared with its first state, bit by bit.
 */

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { HostMessage } from "../../../src/channel/messages/messages.ts";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { AUDIT_AT_WORK } from "../../harness/bit-audit.ts";
import { projectFile } from "../../harness/plugins.ts";
import { compileArtifact } from "../../unit/runner/artifacts.ts";
import { type CallEnd, ENGINES, type KeyValueMessage, RunnerChild } from "../../unit/runner/runner-child.ts";
import { type Language, LANGUAGES, readLanguage } from "./languages.ts";

/** The largest take minutes to build where they are not in the cache, and seconds to compile. */
const BUILD_TIMEOUT_MS = 10 * 60_000;
const TIMEOUT_MS = 4 * 60_000;

/** 128 MiB: what the largest runtime begins with, and room to grow. */
const MEMORY_PAGES = 2_048;

/** Requests that are sent at a time. */
const BURST = 10;

/** The slower engine makes an instance for each: tens of milliseconds for the largest. */
const DRAWS = { linker: 1_000, jco: 100 } as const;
const ROUNDS = { linker: 30, jco: 5 } as const;

const ERROR_TEXT = Buffer.from("some text");

const LARGE_VALUE = Buffer.alloc(1024 * 1024, "v");

/** One value is stored: that of the key `large`. */
const perform = ({ op, operation }: KeyValueMessage): HostMessage => ({
  kind: "key-value-result",
  op,
  result: operation.key === "large" ? { kind: "value", value: LARGE_VALUE } : { kind: "none" },
});

type EngineName = (typeof ENGINES)[number];

const IS_AUDITED = process.env["AUDIT"] === "1";

/** Only the linker puts instances back. */
const ENGINES_HERE = IS_AUDITED ? (["linker"] as const) : ENGINES;

function start(engine: EngineName, artifactDir: string): Promise<RunnerChild> {
  const audited = IS_AUDITED && engine === "linker";
  return RunnerChild.start({ engine, artifactDir, memoryPages: MEMORY_PAGES, perform, audited });
}

function bodyOf({ outcome }: CallEnd): string {
  if (outcome.kind !== "response") throw new Error(JSON.stringify(outcome).slice(0, 500));
  return Buffer.from(outcome.response.body).toString("latin1");
}

async function ask(runner: RunnerChild, method: string, payload = ""): Promise<string> {
  return bodyOf(await runner.call(method, Buffer.from(payload)));
}

/** Sends many requests, a burst at a time; gives their replies' bodies. */
async function askMany(runner: RunnerChild, count: number, method: string, payload: string): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const burst = Array.from({ length: BURST }, () => runner.begin(method, Buffer.from(payload)));
    for (const call of burst) bodies.push(bodyOf(await runner.end(call)));
  }
  return bodies;
}

/** What both engines have to answer alike; texts of traps are each engine's own. */
function comparable({ outcome }: CallEnd): unknown {
  return outcome.kind === "trap" ? "trap" : { ...outcome, call: 0 };
}

/** What a language is asked, in this order. */
function script({ state, hold, traps, calls, lists }: Language): [method: string, payload: string][] {
  return [
    [state.method, "one"],
    [hold.method, hold.payload],
    ...traps.map((method): [string, string] => [method, "two"]),
    ...(calls === undefined ? [] : [["descend", String(calls)] as [string, string]]),
    ...(lists === undefined ? [] : [["nest", String(lists)] as [string, string]]),
    ["", ""],
    [state.method, "ü".repeat(1_000)],
    [state.method, ""],
  ];
}

it("the table for authors says of each language what happens to its errors", async () => {
  const page = await readFile(projectFile("examples/README.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([^|]+?) +\| [^|]+ \| (a trap|the error)[ ,]/gm)].map(([, name, becomes]) => [
    name,
    becomes,
  ]);
  expect(rows).toEqual(LANGUAGES.map(({ name, errors }) => [name, errors.uncaught.becomes]));
});

describe.each(LANGUAGES)("$name", (language) => {
  const { state, hold, traps } = language;
  let artifactDir: string;

  beforeAll(async () => {
    const component = await readLanguage(language);
    passGate(component);
    artifactDir = await compileArtifact(component);
  }, BUILD_TIMEOUT_MS);

  describe.each(ENGINES_HERE)("on the %s engine", (engine) => {
    it(
      "leaks nothing from request to request",
      async () => {
        await using runner = await start(engine, artifactDir);
        for (let request = 0; request < ROUNDS[engine]; request += 1) {
          expect(await ask(runner, state.method, `secret ${request}`)).toBe(state.first);
          const bodies = await askMany(runner, BURST, state.method, `secrets ${request}`);
          expect(new Set(bodies)).toEqual(new Set([state.first]));
        }
      },
      TIMEOUT_MS,
    );

    it(
      "draws other random values in each request",
      async () => {
        await using runner = await start(engine, artifactDir);
        const drawn = new Set(await askMany(runner, DRAWS[engine], "random", ""));
        expect(drawn.size).toBe(DRAWS[engine]);
      },
      TIMEOUT_MS,
    );

    it(
      "begins afresh after a trap, and after memory was taken",
      async () => {
        await using runner = await start(engine, artifactDir);
        for (let round = 0; round < 5; round += 1) {
          for (const method of traps) {
            const { outcome } = await runner.call(method, Buffer.from("secret"));
            expect([method, outcome.kind]).toEqual([method, "trap"]);
            expect(await ask(runner, state.method, "secret")).toBe(state.first);
          }
          expect(await ask(runner, hold.method, hold.payload)).toBe(hold.payload);
          expect(await ask(runner, state.method, "secret")).toBe(state.first);
        }
      },
      TIMEOUT_MS,
    );

    it(
      "becomes an error or a trap where nobody catches what it raises, and an error where it returns one",
      async () => {
        await using runner = await start(engine, artifactDir);
        const { uncaught, returned } = language.errors;
        const { outcome, said } = await runner.call(uncaught.method, ERROR_TEXT);
        if (uncaught.becomes === "a trap") expect(outcome.kind).toBe("trap");
        else expect(outcome).toMatchObject({ kind: "plugin-error", message: ERROR_TEXT.toString() });
        const lines = said.map((message) => (message.kind === "output" ? message.text : ""));
        if (uncaught.logged === undefined) expect(lines).toEqual([]);
        else expect(lines).toContain(uncaught.logged);
        expect((await runner.call(returned.method, ERROR_TEXT)).outcome).toMatchObject({
          kind: "plugin-error",
          message: returned.says ?? ERROR_TEXT.toString(),
        });
        if (language.none !== undefined) expect(await ask(runner, "absent")).toBe(language.none);
      },
      TIMEOUT_MS,
    );

    if (language.calls !== undefined)
      it("stands deep calls that wait at the bottom", async () => {
        await using runner = await start(engine, artifactDir);
        const calls = String(language.calls);
        expect(await askMany(runner, BURST, "descend", calls)).toEqual(Array.from({ length: BURST }, () => calls));
        if (language.lists !== undefined) expect(await ask(runner, "nest", String(language.lists))).toBe("1");
      });

    if (language.tasks !== undefined)
      it(
        "runs tasks that wait side by side",
        async () => {
          await using runner = await start(engine, artifactDir);
          const tasks = String(language.tasks);
          for (let round = 0; round < 3; round += 1) expect(await ask(runner, "tasks", tasks)).toBe(tasks);
        },
        TIMEOUT_MS,
      );

    if (language.drawsAtStart)
      it(
        "draws other values before each request, and has its maps in other orders",
        async () => {
          await using runner = await start(engine, artifactDir);
          const fields: Set<string>[] = [];
          for (const body of await askMany(runner, DRAWS[engine], "drawn", ""))
            for (const [index, field] of body.split(" ").entries()) (fields[index] ??= new Set()).add(field);
          expect(fields.map(({ size }) => size)).toEqual(Array.from({ length: 8 }, () => DRAWS[engine]));
        },
        TIMEOUT_MS,
      );

    if (language.values !== undefined)
      // On jco it must not do so beside a timer: its import that polls cannot be called there.
      it.each(engine === "linker" ? ["", " ticking"] : [""])(
        "collects garbage while the host hands it values%s",
        async (how) => {
          await using runner = await start(engine, artifactDir);
          const bytes = String(Number(language.values) * LARGE_VALUE.length);
          for (let round = 0; round < 3; round += 1)
            expect(await ask(runner, "gather", `${language.values}${how}`)).toBe(bytes);
        },
        TIMEOUT_MS,
      );
  });

  if (IS_AUDITED)
    it("is put back, every time exactly", async () => {
      await using runner = await start("linker", artifactDir);
      for (let request = 0; request < ROUNDS.linker; request += 1) {
        expect(await ask(runner, state.method, `secret ${request}`)).toBe(state.first);
        expect(await ask(runner, hold.method, hold.payload)).toBe(hold.payload);
      }
      await runner.settle(1);
      expect(runner.stderr.includes(AUDIT_AT_WORK)).toBe(true);
    });

  it(
    "is answered alike by both engines",
    async () => {
      const answers = ENGINES.map(async (engine) => {
        await using runner = await start(engine, artifactDir);
        const ends: unknown[] = [comparable(await runner.probe())];
        for (const [method, payload] of script(language))
          ends.push([method, comparable(await runner.call(method, Buffer.from(payload)))]);
        return ends;
      });
      const [jco, linker] = await Promise.all(answers);
      expect(linker).toEqual(jco);
    },
    TIMEOUT_MS,
  );
});
