/**
 * A plugin that makes much out of little: it passes a list whose items all are the same bytes of its memory.
 *
 * @module
 */

import { assemblePlugin } from "../fixtures/wat/assemble.ts";

/** Bytes that every item of the list is. */
const ITEM_BYTES = 16 * 1024 * 1024;
const PAGES = 288;

/** Calls `fields.from-list` with as many such items as the first number of the payload says. */
export async function overlappingLists(): Promise<Uint8Array> {
  return await assemblePlugin({
    insert: {
      imports: `(import "wasi:http/types@0.2.0" (instance $http
        (export "fields" (type $fields (sub resource)))
        (type $cases (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
        (export "header-error" (type $header-error (eq $cases)))
        (type $entries (list (tuple string (list u8))))
        (type $created (result (own $fields) (error $header-error)))
        (export "[static]fields.from-list" (func (param "entries" $entries) (result $created)))))
        (core module $memory-module (memory (export "memory") ${PAGES}))
        (core instance $memory-holder (instantiate $memory-module))
        (alias core export $memory-holder "memory" (core memory $shared))
        (core module $stub (func (export "from-list") (param i32 i32 i32)))
        (alias export $http "[static]fields.from-list" (func $from-list))
        (core func $lowered (canon lower (func $from-list) (memory $shared)))
        (core instance $http-functions (export "from-list" (func $lowered)))`,
      "core-imports": `(import "env" "memory" (memory ${PAGES}))
        (import "http" "from-list" (func $from-list (param i32 i32 i32)))`,
    },
    replace: {
      '(memory (export "memory") 1)': '(export "memory" (memory 0))',
      "(core instance $main (instantiate $main))":
        '(core instance $main (instantiate $main (with "env" (instance $memory-holder)) (with "http" (instance $http-functions))))',
      "i32.const 1024)": "i32.const 65536)",
      // result<rpc-response, string> at 16: ok, status 200, empty body
      "(param i32 i32 i32 i32 i32 i32) (result i32)": `(param i32 i32 i32 i32) (param $payload i32) (param i32) (result i32)
        (local $items i32) (local $at i32)
        (local.set $items (i32.load (local.get $payload)))
        (loop $fill
          ;; name: 1 byte at 8; value: ITEM_BYTES from 131072 on
          (local.set $at (i32.add (i32.const 70000) (i32.shl (local.get $items) (i32.const 4))))
          (i32.store8 (i32.const 8) (i32.const 97))
          (i32.store (local.get $at) (i32.const 8))
          (i32.store offset=4 (local.get $at) (i32.const 1))
          (i32.store offset=8 (local.get $at) (i32.const 131072))
          (i32.store offset=12 (local.get $at) (i32.const ${ITEM_BYTES}))
          (local.set $items (i32.sub (local.get $items) (i32.const 1)))
          (br_if $fill (i32.gt_s (local.get $items) (i32.const 0))))
        (call $from_list (i32.const 70016) (i32.load (local.get $payload)) (i32.const 40))`,
      $from_list: "$from-list",
    },
  });
}
