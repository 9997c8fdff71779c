import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_REPLICA_LIMITS, FIXED_LIMITS } from "../../src/contract/limits.ts";
import type { ErrorCode } from "../../src/errors/table.ts";
import { assemble, assemblePlugin, keyValueStoreImport, type PluginEdits } from "../fixtures/wat/assemble.ts";
import { smallestOf, took } from "../harness/clocks.ts";
import { COMPONENTS, uniqueName } from "../harness/plugins.ts";
import type { LogRecord } from "../harness/replica-log.ts";
import { until } from "../../scripts/lib/until.ts";
import { failure } from "../harness/failure.ts";
import { type Actor, openScene, type Scene } from "./scene.ts";
import { COMPONENT_PREAMBLE, CORE_PREAMBLE } from "../../src/core-wasm/format.ts";

/** A component that must not be loaded, and how its load must end. */
interface Refused {
  readonly component: () => Promise<Uint8Array> | Uint8Array;
  /** In the log record's message. */
  readonly says: string;
  readonly code?: ErrorCode;
}

const MIB = 1024 * 1024;
/** What a host may hold more after a bad load than before: V8 gives nothing back at once. */
const MEMORY_MARGIN_BYTES = 96 * MIB;
const AT_ONCE_MS = 1_000;

/** Serves all of them on one replica: each is refused with its own error, at once, and nothing else is touched. */
async function expectRefused(cases: Readonly<Record<string, Refused>>): Promise<void> {
  const built = Object.entries(cases).map(async ([what, { component }], index) => {
    return [what, { role: `refused-${index}`, actor: { component: await component() } }] as const;
  });
  const cast = new Map(await Promise.all(built));
  const actors: Record<string, Actor> = Object.fromEntries([...cast.values()].map(({ role, actor }) => [role, actor]));
  await using scene = await openScene({ actors });
  for (const [what, { says, code = "component-rejected" }] of Object.entries(cases)) {
    await expectUnloadable(scene, cast.get(what)?.role ?? "", what, code, says);
  }
  await scene.unharmed();
}

async function expectUnloadable(
  scene: Scene<string>,
  role: string,
  what: string,
  code: ErrorCode,
  says: string,
): Promise<void> {
  const { err } = await scene.loadError(role);
  expect({ what, err }).toMatchObject({ what, err: { code, message: expect.stringContaining(says) } });
  const ask = async (): Promise<void> => {
    const reply = await scene.call(role, "echo", "x", { "Rpc-Id": "load" });
    expect({ what, headers: reply.headers }).toEqual({ what, headers: failure("plugin-unloadable", "load") });
  };
  expect(await smallestOf(AT_ONCE_MS, () => took(ask))).toBeLessThan(AT_ONCE_MS);
}

function edited(edits: PluginEdits): () => Promise<Uint8Array> {
  return () => assemblePlugin(edits);
}

function withImport(wat: string): () => Promise<Uint8Array> {
  return edited({ insert: { imports: wat } });
}

function inModule(wat: string): () => Promise<Uint8Array> {
  return edited({ insert: { "core-body": wat } });
}

function beside(wat: string): () => Promise<Uint8Array> {
  return edited({ insert: { modules: wat } });
}

function repeat(count: number, text: string): string {
  return Array.from({ length: count }, () => text).join("\n");
}

describe("a core import or export whose name could end a string of generated code is refused at the gate", () => {
  const UNSAFE = {
    "a single quote": "a'b",
    "a double quote": 'a\\"b',
    "a backslash": "a\\\\b",
    "a backtick": "a`b",
    "a line break": "a\\nb",
    "the line separator U+2028": "a\\u{2028}b",
  };

  test.each(["core export", "core import"] as const)("as a %s", async (kind) => {
    await expectRefused(
      Object.fromEntries(
        Object.entries(UNSAFE).map(([what, name]) => {
          const component = kind === "core export" ? inModule(`(func (export "${name}"))`) : importing(name);
          return [what, { component, says: `of a ${kind} is not safe` }];
        }),
      ),
    );
  });

  function importing(name: string): () => Promise<Uint8Array> {
    return edited({
      insert: { "core-imports": `(import "m" "${name}" (func))` },
      replace: {
        "(core instance $main (instantiate $main))": `
          (core module $provider (func (export "${name}")))
          (core instance $provider (instantiate $provider))
          (core instance $main (instantiate $main (with "m" (instance $provider))))`,
      },
    });
  }
});

test("an import of a built-in module of Node, or of a property that every object has, is refused", async () => {
  const names = ["node:fs", "node:child_process", "node:process", "constructor", "to-string"];
  await expectRefused(
    Object.fromEntries(
      names.map((name) => [
        name,
        { component: withImport(`(import "${name}" (instance))`), says: "is not offered to plugins" },
      ]),
    ),
  );
});

test("an allowed interface with one function more, another signature, or in two versions is refused", async () => {
  const poll = (version: string): string => `(import "wasi:io/poll@${version}" (instance))`;
  await expectRefused({
    "a function more": {
      component: withImport(keyValueStoreImport('(export "delete-all" (func))')),
      says: 'has no function "delete-all"',
    },
    "another signature": {
      component: withImport(
        '(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u32)))))',
      ),
      says: "has another type than in WIT",
    },
    "two versions": { component: withImport(poll("0.2.0") + poll("0.2.1")), says: "is imported twice" },
    "a version that jco would take for another": {
      component: withImport(poll("9.9.9")),
      says: "has a version that is not offered",
    },
  });
});

test("after a component that traps the transpiler, a good one loads", async () => {
  const trapsTheTranspiler = await assemblePlugin({
    replace: { "(memory $memory) (realloc": "string-encoding=latin1+utf16 (memory $memory) (realloc" },
  });
  await using scene = await openScene({ actors: { bad: { component: trapsTheTranspiler } } });
  await expectUnloadable(scene, "bad", "the transpiler's trap", "compile-failed", "");
  const good = uniqueName("good");
  // New bytes for this run, so that it is compiled and not found in the cache.
  const component = await assemblePlugin({ insert: { "core-body": `(func (export "run-${crypto.randomUUID()}"))` } });
  await scene.recast({ [good]: { component } });
  await scene.replica.logged(({ plugin, msg }) => plugin === good && msg === "plugin loaded");
  await until(async () => (await scene.call(good as never, "any").catch(() => undefined))?.status === 200, {
    what: "the good one is served",
  });
  await scene.unharmed();
});

describe("what is too large, too deep or no component is a typed error, and the host's memory comes back", () => {
  test("as the only thing that is wrong with it", async () => {
    const echo = readFileSync(COMPONENTS.echo);
    const bomb = Array.from({ length: 40 }, (_, level) => {
      const inner = level === 0 ? "u8" : `$t${level - 1}`;
      return `(type $t${level} (tuple ${inner} ${inner}))`;
    }).join("\n");
    await expectRefused({
      "a type bomb": { component: beside(bomb), says: "a type unfolds to more than" },
      "900 core modules": { component: beside(repeat(900, "(core module)")), says: "core modules" },
      "deep nesting": { component: beside(nested(12)), says: "nesting components more than" },
      garbage: { component: () => Uint8Array.from({ length: 4_096 }, (_, i) => (i * 73) % 256), says: "malformed" },
      "an empty file": { component: () => new Uint8Array(0), says: "malformed" },
      "half of a component": { component: () => echo.subarray(0, echo.length / 2), says: "malformed" },
      "a core module": {
        component: () => Uint8Array.from(CORE_PREAMBLE),
        says: "a core module in place of a component",
      },
      "a section that claims 4 GiB": {
        component: () => Uint8Array.of(...COMPONENT_PREAMBLE, 1, 0xff, 0xff, 0xff, 0xff, 0x0f),
        says: "malformed",
      },
    });
  });

  test("as 65 MiB of it, again and again", async () => {
    const huge = { component: new Uint8Array(65 * MIB) };
    await using scene = await openScene({ actors: { huge } });
    await expectUnloadable(
      scene,
      "huge",
      "65 MiB",
      "component-rejected",
      String(DEFAULT_REPLICA_LIMITS.componentBytes),
    );
    const before = await scene.hostMemoryBytes();
    for (let round = 0; round < 5; round += 1) {
      const name = uniqueName("huge");
      await scene.recast({ [name]: huge });
      await scene.replica.logged(({ plugin, err }) => plugin === name && err !== undefined);
    }
    await until(async () => (await scene.hostMemoryBytes()) < before + MEMORY_MARGIN_BYTES, {
      what: "the host's memory is back at its baseline",
    });
    await scene.unharmed();
  });

  function nested(depth: number): string {
    return depth === 0 ? "" : `(component ${nested(depth - 1)})`;
  }
});

test("memories and tables beyond the bounds, and proposals that the host does not take, are refused", async () => {
  await expectRefused({
    "2 GiB of initial memory": { component: inModule("(memory 32768)"), says: "bytes of initial memory" },
    "a huge table": { component: inModule("(table 10000000 funcref)"), says: "a table begins with" },
    "many tables": { component: inModule(repeat(100, "(table 1 funcref)")), says: "tables" },
    "nine memories": { component: inModule(repeat(8, "(memory 1)")), says: "linear memories" },
    "shared memory": { component: inModule("(memory 1 2 shared)"), says: "shared memory" },
    "64-bit memory": { component: inModule("(memory i64 1)"), says: "64-bit memory" },
    "an asynchronous function": {
      component: edited({
        replace: {
          '(canon lift (core func $main "get-access-levels"))':
            '(canon lift (core func $main "get-access-levels") async)',
        },
      }),
      says: "is not supported",
    },
    "exceptions of the legacy form": {
      component: inModule("(tag $t) (func try throw $t catch_all end)"),
      says: "legacy exception handling (instruction 0x6) is not supported",
    },
    "a stream": { component: beside("(type (stream u8))"), says: "is not supported" },
  });
});

test("an export that is called then or a reserved word, or no handler at all, is a named error and no hang", async () => {
  const exporting = (name: string): (() => Promise<Uint8Array>) =>
    edited({
      insert: { exports: `(func $other (canon lift (core func $main "other"))) (export "${name}" (func $other))` },
      replace: { ";; @core-body": '(func (export "other"))' },
    });
  await expectRefused({
    "then, which await looks for": {
      component: exporting("then"),
      says: 'the export "then" has a name with a meaning in JavaScript',
    },
    class: { component: exporting("class"), says: 'the export "class" has a name with a meaning in JavaScript' },
    await: { component: exporting("await"), says: 'the export "await" has a name with a meaning in JavaScript' },
    "no handler": { component: () => assemble("(component)"), says: "does not export" },
    "a core function of the handler's name": {
      component: () =>
        assemble('(component (core module (func (export "local:network-host/handler@1.0.0#handle-request"))))'),
      says: "does not export",
    },
  });
});

describe("a start section", () => {
  test("that never ends is a load time-out, and the neighbours are served meanwhile", async () => {
    await using scene = await openScene({ actors: {} });
    const name = uniqueName("loops");
    const component = await assemblePlugin({
      insert: { "core-body": "(func $start (loop $again (br $again))) (start $start)" },
    });
    await scene.recast({ [name]: { component } });
    const failed = scene.replica.logged(({ plugin, err }) => plugin === name && err !== undefined);
    let rounds = 0;
    let isOver = false;
    void failed.finally(() => (isOver = true));
    while (!isOver) {
      await scene.unharmed();
      rounds += 1;
    }
    // Each of them in far less time than the load had.
    expect(rounds).toBeGreaterThan(2);
    // On a machine that is busy with other things it may have hardly a processor: then it is tried again.
    const isLasting = ({ plugin, err }: LogRecord): boolean =>
      plugin === name && err !== undefined && (err as { code?: unknown }).code !== "load-failed";
    expect((await scene.replica.logged(isLasting))["err"]).toMatchObject({
      code: "plugin-unloadable",
      message: expect.stringContaining(`${FIXED_LIMITS.loadMs} ms`),
    });
    expect((await (scene as Scene<string>).call(name, "echo", "x")).error).toBe("plugin-unloadable");
    await scene.unharmed();
  });

  test("that traps is an error of the load", async () => {
    await expectRefused({
      "a trap": {
        component: inModule("(func $start unreachable) (start $start)"),
        code: "plugin-unloadable",
        says: "unreachable",
      },
    });
  });
});
