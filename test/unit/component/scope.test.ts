import { describe, expect, test } from "vitest";
import { readComponent } from "../../../src/component/read-component.ts";
import { definitionOf } from "../../../src/component/resolved.ts";
import { Scope } from "../../../src/component/scope.ts";
import { UNFOLDED_TYPE_MAX } from "../../../src/component/unfolded-size.ts";
import { assemble, assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { threadCpuMs } from "../../harness/clocks.ts";
import { COMPONENT_PREAMBLE } from "../../../src/core-wasm/format.ts";

async function scopeOf(wat: string): Promise<Scope> {
  return Scope.of(readComponent(await assemble(wat)));
}

describe("resolving indices", () => {
  test("an exported instance's functions are found through the nested component that makes it", async () => {
    const scope = Scope.of(readComponent(await assemblePlugin()));
    const [handler] = scope.exports;
    if (handler?.item.sort !== "instance") throw new Error("the handler is not an instance");
    expect([...handler.item.instance.exports].map(([name, { sort }]) => `${name} ${sort}`)).toEqual([
      "access-levels type",
      "rpc-request type",
      "rpc-response type",
      "get-access-levels func",
      "handle-request func",
    ]);
  });

  test("what is taken out of an imported instance knows where it comes from", async () => {
    const scope = await scopeOf(`(component ${keyValueStoreImport()}
      (alias export $store "key-value-store" (type $resource)) (export "mine" (type $resource)))`);
    expect(scope.exports[0]?.item).toMatchObject({
      sort: "type",
      type: {
        kind: "imported",
        from: "local:network-host/key-value-store@1.0.0",
        type: { kind: "resource", name: "key-value-store" },
      },
    });
  });

  test("an outer alias is the outer component's type", async () => {
    const scope = await scopeOf(`(component $outer (type $t (record (field "a" u8)))
      (component $inner (alias outer $outer $t (type $u)) (export "t" (type $u)))
      (instance $i (instantiate $inner)) (export "i" (instance $i)))`);
    const item = scope.exports[0]?.item;
    if (item?.sort !== "instance") throw new Error("no instance");
    const type = item.instance.exports.get("t");
    if (type?.sort !== "type") throw new Error("no type");
    expect(definitionOf(type.type)).toEqual({ kind: "record", fields: [{ name: "a", type: "u8" }] });
  });

  /** Sections are written by hand where no assembler would. */
  function component(...sections: readonly (readonly number[])[]): Uint8Array {
    return Uint8Array.from([...COMPONENT_PREAMBLE, ...sections.flat()]);
  }

  test.each([
    ["a type that does not exist", component([7, 3, 1, 0x70, 5]), "type 5 does not exist"],
    ["a type that refers to itself", component([7, 3, 1, 0x70, 0]), "type 0 does not exist"],
    ["an instance that does not exist", component([6, 6, 1, 1, 0, 0, 1, 0x61]), "instance 0 does not exist"],
    ["an outer component that does not exist", component([6, 5, 1, 3, 2, 9, 0]), "outside of the file"],
    [
      "a lift to something else than a function",
      component([7, 2, 1, 0x7f], [8, 6, 1, 0, 0, 0, 0, 0]),
      "not the type of a function",
    ],
    [
      "an import with something else than an instance's type",
      component([7, 2, 1, 0x7f], [10, 6, 1, 0, 1, 0x61, 5, 0]),
      "not the type of a instance",
    ],
  ])("%s is refused", (_what, bytes, message) => {
    expect(refusalOf(() => Scope.of(readComponent(bytes))).message).toContain(message);
  });
});

describe("type bombs", () => {
  function doubling(levels: number): string {
    const types = Array.from({ length: levels }, (_, level) => `(type $t${level + 1} (tuple $t${level} $t${level}))`);
    return `(type $t0 (tuple u8 u8)) ${types.join(" ")}`;
  }

  test.each([30, 200])("a type that doubles %i times is refused, in no time", async (levels) => {
    const component = readComponent(await assemble(`(component ${doubling(levels)})`));
    const startMs = threadCpuMs();
    expect(refusalOf(() => Scope.of(component)).message).toContain(`more than ${UNFOLDED_TYPE_MAX} parts`);
    expect(threadCpuMs() - startMs).toBeLessThan(500);
  });

  test("the same inside of an instance's type is refused", async () => {
    const component = readComponent(await assemble(`(component (type (instance ${doubling(40)})))`));
    expect(refusalOf(() => Scope.of(component)).message).toContain("unfolds");
  });
});
