/** Handles between the host, a component and the components within it, as the canonical ABI has them. */

import { beforeAll, describe, expect, it } from "vitest";
import type { LinkedInstance } from "../../../src/runner/linker/linked-instance.ts";
import type { LinkedComponent } from "../../../src/runner/linker/linked-component.ts";
import { assemble } from "../../fixtures/wat/assemble.ts";
import { exported, instantiate, prepare } from "./link.ts";

/**
 * An inner component defines a resource whose number is what it was made of; its destructor notes the number.
 * The outer one uses it and a resource of the host's. `run(act)` picks what it does.
 */
const COMPONENT = `(component
  (import "test:host/things" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "make" (func (result (own $thing))))
    (export "peek" (func (param "thing" (borrow $thing)) (result u32)))
    (export "take" (func (param "thing" (own $thing))))
    (export "both" (func (param "one" (borrow $thing)) (param "other" (own $thing))))))
  (alias export $host "thing" (type $thing))

  (component $inner
    (core module $state
      (global $last (mut i32) (i32.const 0))
      (func (export "destroy") (param i32) (global.set $last (local.get 0)))
      (func (export "last") (result i32) (global.get $last)))
    (core instance $state (instantiate $state))
    (type $item (resource (rep i32) (dtor (core func $state "destroy"))))
    (canon resource.new $item (core func $new))
    (canon resource.rep $item (core func $rep))
    (canon resource.drop $item (core func $drop))
    (core module $main
      (import "item" "new" (func $new (param i32) (result i32)))
      (import "item" "rep" (func $rep (param i32) (result i32)))
      (import "item" "drop" (func $drop (param i32)))
      (func (export "create") (param i32) (result i32) (call $new (local.get 0)))
      ;; A borrowed handle of its own resource arrives as the number itself.
      (func (export "read") (param i32) (result i32) (local.get 0))
      (func (export "end") (param i32) (result i32)
        (call $rep (local.get 0))
        (call $drop (local.get 0))))
    (core instance $main (instantiate $main (with "item" (instance
      (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
    (export $item' "item" (type $item))
    (func (export "create") (param "number" u32) (result (own $item'))
      (canon lift (core func $main "create")))
    (func (export "read") (param "item" (borrow $item')) (result u32)
      (canon lift (core func $main "read")))
    (func (export "end") (param "item" (own $item')) (result u32)
      (canon lift (core func $main "end")))
    (func (export "last") (result u32) (canon lift (core func $state "last"))))
  (instance $inner (instantiate $inner))
  (alias export $inner "item" (type $item))

  (canon lower (func $host "make") (core func $make))
  (canon lower (func $host "peek") (core func $peek))
  (canon lower (func $host "take") (core func $take))
  (canon lower (func $host "both") (core func $both))
  (canon resource.drop $thing (core func $drop-thing))
  (canon lower (func $inner "create") (core func $create))
  (canon lower (func $inner "read") (core func $read))
  (canon lower (func $inner "end") (core func $end))
  (canon lower (func $inner "last") (core func $last))
  (canon resource.drop $item (core func $drop-item))
  (core module $outer
    (import "h" "make" (func $make (result i32)))
    (import "h" "peek" (func $peek (param i32) (result i32)))
    (import "h" "take" (func $take (param i32)))
    (import "h" "both" (func $both (param i32 i32)))
    (import "h" "drop" (func $drop-thing (param i32)))
    (import "i" "create" (func $create (param i32) (result i32)))
    (import "i" "read" (func $read (param i32) (result i32)))
    (import "i" "end" (func $end (param i32) (result i32)))
    (import "i" "last" (func $last (result i32)))
    (import "i" "drop" (func $drop-item (param i32)))
    (func (export "run") (param $act i32) (result i32)
      (local $handle i32)
      (block $both (block $wrong (block $unknown (block $end (block $gone (block $dropped (block $twice (block $taken (block $peeked
        (br_table $peeked $taken $twice $dropped $gone $end $unknown $wrong $both (local.get $act)))
      ;; 0: lends a thing to the host
      (return (call $peek (call $make))))
      ;; 1: gives it away
      (call $take (local.tee $handle (call $make)))
      (return (local.get $handle)))
      ;; 2: uses it after it was given away
      (call $take (local.tee $handle (call $make)))
      (return (call $peek (local.get $handle))))
      ;; 3: drops it, and the next one gets its handle
      (call $drop-thing (local.tee $handle (call $make)))
      (return (i32.sub (call $make) (local.get $handle))))
      ;; 4: drops one of the inner component's, whose destructor runs
      (call $drop-item (call $create (i32.const 77)))
      (return (call $last)))
      ;; 5: gives one back to the inner component
      (local.set $handle (call $create (i32.const 5)))
      (return (i32.add (i32.mul (call $read (local.get $handle)) (i32.const 100)) (call $end (local.get $handle)))))
      ;; 6: a handle that was never given out
      (return (call $peek (i32.const 9))))
      ;; 7: a handle of the other resource
      (return (call $peek (call $create (i32.const 1)))))
      ;; 8: lends and gives away the same handle in one call
      (local.set $handle (call $make))
      (call $both (local.get $handle) (local.get $handle))
      (i32.const 0)))
  (core instance $main (instantiate $outer
    (with "h" (instance (export "make" (func $make)) (export "peek" (func $peek)) (export "take" (func $take))
      (export "both" (func $both)) (export "drop" (func $drop-thing))))
    (with "i" (instance (export "create" (func $create)) (export "read" (func $read)) (export "end" (func $end))
      (export "last" (func $last)) (export "drop" (func $drop-item))))))
  (func $run (param "act" u32) (result u32) (canon lift (core func $main "run")))
  (instance $exports (export "run" (func $run)))
  (export "test:guest/acts" (instance $exports)))`;

class Thing {
  static disposed = 0;
  readonly number = 42;
  [Symbol.dispose](): void {
    Thing.disposed += 1;
  }
}

const taken: unknown[] = [];
const HOST = {
  "test:host/things": {
    make: () => new Thing(),
    peek: (thing: unknown) => (thing as Thing).number,
    take: (thing: unknown) => void taken.push(thing),
    both: () => undefined,
  },
};

describe("handles", () => {
  let linked: LinkedComponent;
  beforeAll(async () => {
    linked = prepare(await assemble(COMPONENT));
  });

  function run(act: number, instance: LinkedInstance = instantiate(linked, HOST)): Promise<unknown> {
    return exported(linked, instance, "test:guest/acts", "run")(act);
  }

  it("reach the host as its own objects, lent and given away", async () => {
    taken.length = 0;
    expect(await run(0)).toBe(42);
    await run(1);
    expect(taken).toEqual([expect.any(Thing)]);
  });

  it("are the host's to dispose of when they are dropped, and free for the next", async () => {
    Thing.disposed = 0;
    expect(await run(3)).toBe(0);
    expect(Thing.disposed).toBe(1);
  });

  it("pass between components as numbers of the one that defines them, with its destructor", async () => {
    expect(await run(4)).toBe(77);
    expect(await run(5)).toBe(505);
  });

  it.each([
    ["was given away", 2, "not the guest's"],
    ["was never given out", 6, "not the guest's"],
    ["is of another resource", 7, "another resource"],
    ["is lent to the same call that it is given away in", 8, "lent to a call"],
  ])("trap where one %s", async (_, act, message) => {
    await expect(run(act)).rejects.toThrow(message);
  });

  it("are back as they were where the tables are put back", async () => {
    const instance = instantiate(linked, HOST);
    const saved = instance.components.map(({ handles }) => handles.save());
    expect(await run(1, instance)).toBe(1);
    await run(0, instance);
    for (const [index, state] of instance.components.entries()) state.handles.restore(saved[index] as never);
    expect(await run(1, instance)).toBe(1);
  });
});
