;; A component is not entered while it runs, and does not call out while its allocator runs.

(component definition $Parent
  (core module $Host
    (func (export "g") (result i32) (i32.const 9)))
  (core instance $host (instantiate $Host))
  (func $g (result u32) (canon lift (core func $host "g")))
  (component $Child
    (import "g" (func $g (result u32)))
    (canon lower (func $g) (core func $g'))
    (core module $m
      (import "p" "g" (func $g (result i32)))
      (func (export "back") (result i32) (call $g))
      (func (export "still") (result i32) (i32.const 4)))
    (core instance $i (instantiate $m (with "p" (instance (export "g" (func $g'))))))
    (func (export "back") (result u32) (canon lift (core func $i "back")))
    (func (export "still") (result u32) (canon lift (core func $i "still"))))
  (instance $child (instantiate $Child (with "g" (func $g))))
  (canon lower (func $child "back") (core func $back))
  (canon lower (func $child "still") (core func $still))
  (core module $m
    (import "c" "back" (func $back (result i32)))
    (import "c" "still" (func $still (result i32)))
    (func (export "back") (result i32) (call $back))
    (func (export "twice") (result i32) (i32.add (call $still) (call $still))))
  (core instance $i (instantiate $m (with "c" (instance
    (export "back" (func $back)) (export "still" (func $still))))))
  ;; The child calls the parent, which waits for the child.
  (func (export "back") (result u32) (canon lift (core func $i "back")))
  ;; One after the other is not nesting.
  (func (export "twice") (result u32) (canon lift (core func $i "twice")))
  (func (export "own") (result u32) (canon lift (core func $host "g"))))

(component instance $p $Parent)
(assert_return (invoke "twice") (u32.const 8))
(assert_return (invoke "own") (u32.const 9))
(assert_trap (invoke "back") "cannot enter component instance")

;; An allocator that calls out, while an argument is put into its memory and while a result is.
(component definition $Allocator
  (component $Other
    (core module $m
      (memory (export "mem") 1)
      (data (i32.const 8) "\20\00\00\00\03\00\00\00")
      (func (export "f"))
      (func (export "text") (result i32) (i32.const 8)))
    (core instance $i (instantiate $m))
    (func (export "f") (canon lift (core func $i "f")))
    (func (export "text") (result string) (canon lift (core func $i "text") (memory (core memory $i "mem")))))
  (instance $other (instantiate $Other))
  (canon lower (func $other "f") (core func $out))
  (core module $Memory
    (import "o" "out" (func $out))
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $out) (i32.const 1024)))
  (core instance $memory (instantiate $Memory (with "o" (instance (export "out" (func $out))))))
  (canon lower (func $other "text") (memory (core memory $memory "mem")) (realloc (core func $memory "realloc"))
    (core func $text))
  (core module $m
    (import "o" "text" (func $text (param i32)))
    (func (export "take") (param i32 i32) (result i32) (local.get 1))
    (func (export "get") (call $text (i32.const 16))))
  (core instance $i (instantiate $m (with "o" (instance (export "text" (func $text))))))
  (func (export "take") (param "text" string) (result u32)
    (canon lift (core func $i "take") (memory (core memory $memory "mem")) (realloc (core func $memory "realloc"))))
  (func (export "get") (canon lift (core func $i "get"))))

(component instance $a $Allocator)
(assert_trap (invoke "take" (str.const "abc")) "cannot leave component instance")
(component instance $a $Allocator)
(assert_trap (invoke "get") "cannot leave component instance")
