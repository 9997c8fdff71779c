import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { BUILD_FAULTS, type BuildFault } from "../../../src/component/build-faults.ts";
import { moduleNameOf } from "../../../src/component/core/module-name.ts";
import { REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import { toHostError } from "../../../src/errors/host-error.ts";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { compileComponent } from "../../../src/supervisor/compilation/compile.ts";
import { assemble, assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { projectFile } from "../../harness/plugins.ts";
import { CORE_PREAMBLE } from "../../../src/core-wasm/format.ts";

/** What the compiler says of such a component. */
async function saidOf(component: Uint8Array, timeoutMs?: number): Promise<string> {
  // However busy the machine is, the time is over when the compiler had a processor for it.
  const options = timeoutMs === undefined ? {} : { timeoutMs, patienceMs: 60_000 };
  return await compileComponent(component, options).then(
    () => "nothing",
    (thrown: unknown) => toHostError(thrown).message,
  );
}

const body = (text: string): Promise<Uint8Array> => assemblePlugin({ insert: { "core-body": text } });
const beside = (text: string): Promise<Uint8Array> => assemblePlugin({ insert: { modules: text } });

/** A component with each fault that the transpiler finds, and which of its modules has it. */
const FOUND_BY_TRANSPILER: Readonly<Record<string, [fault: keyof typeof BUILD_FAULTS, where: string, string]>> = {
  "two memories": ["memories", 'core module 0 ("main")', "(memory 1)"],
  "ill-typed code": ["invalid", 'core module 0 ("main")', "(func (result i32) i64.const 0)"],
};

describe("of a component that the compiler does not take", () => {
  test.each(Object.entries(FOUND_BY_TRANSPILER))(
    "with %s, the author is told the module, the cause and the remedy",
    async (_, [fault, where, text]) => {
      const { cause, remedy } = BUILD_FAULTS[fault];
      const said = await saidOf(await body(text));
      expect(said).toContain(`${where} cannot be compiled: ${cause}; ${remedy}, and see docs/build-errors.md`);
      expect(said).toMatch(/\(the compiler says: [^\n]+\)$/);
      expect(BUILD_FAULTS[fault].said.some((part) => said.includes(part))).toBe(true);
    },
  );

  test("the module is named as it names itself, and by its own number among several", async () => {
    const named = '(core module $second (@custom "name" "\\00\\07\\06my\\01way") (memory 1) (memory 1))';
    expect(await saidOf(await beside(named))).toContain('core module 1 ("my\\u0001way") cannot be compiled');
    for (const faulty of ["(func (result i32) i64.const 0)", "(memory 1) (memory 1)"]) {
      const said = await saidOf(await beside(`(core module (func)) (core module ${faulty}) (core module (func))`));
      expect([faulty, said]).toEqual([faulty, expect.stringMatching(/^core module 2 cannot be compiled/)]);
    }
  });

  test("whose fault nobody knows, the compiler's words are told in one printable line", async () => {
    // jco does not implement this encoding, and traps.
    const component = await assemblePlugin({
      replace: { "(memory $memory) (realloc": "string-encoding=latin1+utf16 (memory $memory) (realloc" },
    });
    const said = await saidOf(component);
    expect(said).toMatch(/^[\x20-\x7e]+$/);
    expect(said).toMatch(/could not be compiled; the compiler says: .*wasm-tools validate/);
  });

  test("in time, it is told whose limit that was", async () => {
    const said = await saidOf(await assemblePlugin(), 5);
    expect(BUILD_FAULTS.time.said.some((part) => said.includes(part))).toBe(true);
    expect(said).toContain("replica.compileMs");
  });
});

/** What the gate says of such a component. */
function refusal(component: Uint8Array): string {
  try {
    passGate(component);
    return "nothing";
  } catch (thrown) {
    return toHostError(thrown).message;
  }
}

describe("of a component that the gate refuses", () => {
  test.each<[keyof typeof BUILD_FAULTS, () => Promise<Uint8Array>]>([
    ["async", () => beside("(type $s (stream u8)) (core func (canon stream.new $s))")],
    ["async", () => beside("(type (future u8))")],
    ["threads", () => body("(memory $m 1 1 shared)")],
    ["memory64", () => body("(memory $m i64 1)")],
    ["legacyExceptions", () => body("(tag $t) (func try throw $t catch_all end)")],
    ["legacyExceptions", () => body("(tag $t) (func try throw $t catch $t rethrow 0 end)")],
    ["legacyExceptions", () => body("(tag $t) (func try throw $t delegate 0)")],
    ["stackSwitching", () => body("(type $f (func)) (type $c (cont $f))")],
    ["proposals", () => body("(func (memory.discard (i32.const 0) (i32.const 0)))")],
    // V8 alone does not take this one.
    [
      "proposals",
      () =>
        body(
          "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
        ),
    ],
    ["coreModule", () => Promise.resolve(Uint8Array.from(CORE_PREAMBLE))],
  ])("for %s, the table has its words and its remedy", async (fault, component) => {
    const said = refusal(await component());
    expect(
      BUILD_FAULTS[fault].said.some((part) => said.includes(part)),
      said,
    ).toBe(true);
    expect(said).toContain(BUILD_FAULTS[fault].remedy);
  });

  test("and that is too large, the table has its words", () => {
    const said = refusal(new Uint8Array(REPLICA_LIMITS.componentBytes.max + 1));
    expect(said).toContain("bytes; at most");
  });

  test("for component-model async, each language is told what it has written", () => {
    const { remedy, languages } = BUILD_FAULTS.async;
    expect(remedy).toContain("do not use `async func`");
    expect(remedy).toContain("--sync");
    expect(Object.keys(languages)).toEqual(expect.arrayContaining(["Rust", "JavaScript on QuickJS", "Python", "Go"]));
  });
});

test("every fault of the table is on the page, with its languages", async () => {
  const page = await readFile(projectFile("docs/build-errors.md"), "utf8");
  for (const { title, remedy, languages } of Object.values<BuildFault>(BUILD_FAULTS)) {
    expect(page).toContain(`## ${title}\n`);
    expect(page).toContain(remedy.slice(1));
    for (const language of Object.keys(languages))
      expect(page).toMatch(new RegExp(`^\\| ${RegExp.escape(language)} +\\|`, "m"));
  }
});

test("a module's name is read from its custom section, and only from that", async () => {
  const nameOf = async (text: string): Promise<string | undefined> => {
    const component = await assemble(`(component (core module ${text}))`);
    // The module stands behind the component's preamble and its section's header.
    return moduleNameOf(component.subarray(10));
  };
  expect(await nameOf("$main (func)")).toBe("main");
  expect(await nameOf("(func $f)")).toBeUndefined();
  expect(moduleNameOf(Uint8Array.of(...CORE_PREAMBLE, 0, 200))).toBeUndefined();
});
