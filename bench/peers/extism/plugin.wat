;; What the measured plugins do, as a plugin of Extism: in its own way to get the input and to leave the output, by the
;; functions that its development kits are made of, eight bytes at a time.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  ;; A key, as `bucket/key`: the value's block, or 0 when there is none.
  (import "extism:host/user" "kv_get" (func $kv_get (param i64) (result i64)))
  (import "extism:host/user" "kv_set" (func $kv_set (param i64 i64)))

  (memory (export "memory") 4)
  (global $capacity i32 (i32.const 262144))

  ;; Copies the input to the start of the memory.
  (func $take_input (result i32)
    (local $at i32) (local $end i32)
    (local.set $end (i32.wrap_i64 (call $input_length)))
    (if (i32.gt_u (local.get $end) (global.get $capacity)) (then (unreachable)))
    (block $words
      (loop $word
        (br_if $words (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $end)))
        (i64.store (local.get $at) (call $input_load_u64 (i64.extend_i32_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $word)))
    (block $bytes
      (loop $byte
        (br_if $bytes (i32.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (local.get $at) (call $input_load_u8 (i64.extend_i32_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $byte)))
    (local.get $end))

  ;; Copies a part of the memory into a block of its own.
  (func $block_of (param $from i32) (param $size i32) (result i64)
    (local $block i64) (local $at i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $size))))
    (block $words
      (loop $word
        (br_if $words (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $size)))
        (call $store_u64
          (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
          (i64.load align=1 (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $word)))
    (block $bytes
      (loop $byte
        (br_if $bytes (i32.ge_u (local.get $at) (local.get $size)))
        (call $store_u8
          (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (i32.add (local.get $from) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $byte)))
    (local.get $block))

  ;; The position of the line feed from a position on.
  (func $line_feed (param $at i32) (result i32)
    (loop $next
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 10))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (local.get $at))

  (func (export "echo") (result i32)
    (local $size i32)
    (local.set $size (call $take_input))
    (call $output_set (call $block_of (i32.const 0) (local.get $size)) (i64.extend_i32_u (local.get $size)))
    (i32.const 0))

  ;; Input: a bucket, a key and a value, with line feeds between. Output: the value that the key had, or nothing.
  (func (export "kv") (result i32)
    (local $size i32) (local $bucket_end i32) (local $key_end i32) (local $key i64) (local $earlier i64)
    (local.set $size (call $take_input))
    (local.set $bucket_end (call $line_feed (i32.const 0)))
    (local.set $key_end (call $line_feed (i32.add (local.get $bucket_end) (i32.const 1))))
    (if (i32.ge_u (local.get $key_end) (local.get $size)) (then (unreachable)))
    (i32.store8 (local.get $bucket_end) (i32.const 47))
    (local.set $key (call $block_of (i32.const 0) (local.get $key_end)))
    (local.set $earlier (call $kv_get (local.get $key)))
    (local.set $key_end (i32.add (local.get $key_end) (i32.const 1)))
    (call $kv_set (local.get $key)
      (call $block_of (local.get $key_end) (i32.sub (local.get $size) (local.get $key_end))))
    (if (i64.ne (local.get $earlier) (i64.const 0))
      (then (call $output_set (local.get $earlier) (call $length (local.get $earlier)))))
    (i32.const 0))

  ;; The same numbers as ../../plugins/compute.wat.
  (func (export "compute") (result i32)
    (local $value i32) (local $turns i32)
    (if (i32.ne (call $take_input) (i32.const 8)) (then (unreachable)))
    (local.set $value (i32.load (i32.const 0)))
    (local.set $turns (i32.load (i32.const 4)))
    (block $done
      (loop $turn
        (br_if $done (i32.eqz (local.get $turns)))
        (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
        (br $turn)))
    (i32.store (i32.const 0) (local.get $value))
    (call $output_set (call $block_of (i32.const 0) (i32.const 4)) (i64.const 4))
    (i32.const 0)))
