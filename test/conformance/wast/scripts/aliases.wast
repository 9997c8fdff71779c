;; Components within components, what they get from outside, and what is passed on.

;; Two instances of one component have a state of their own each.
(component
  (component $Counter
    (core module $m
      (global $count (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count)))
    (core instance $i (instantiate $m))
    (func (export "next") (result u32) (canon lift (core func $i "next"))))
  (instance $one (instantiate $Counter))
  (instance $two (instantiate $Counter))
  (export "first" (func $one "next"))
  (export "second" (func $two "next"))
  (export "first-again" (func $one "next")))
(assert_return (invoke "first") (u32.const 1))
(assert_return (invoke "first") (u32.const 2))
(assert_return (invoke "second") (u32.const 1))
(assert_return (invoke "first-again") (u32.const 3))

;; A component, a core module and a type of an outer component, two levels out.
(component
  (type $pair (tuple u8 u8))
  (core module $Adder
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (component $Leaf
    (alias outer 1 $Adder (core module $A))
    (core instance $i (instantiate $A))
    (alias outer 1 $pair (type $p))
    (func (export "add") (param "pair" $p) (result u32) (canon lift (core func $i "add"))))
  (component $Middle
    (component $Inner
      (alias outer 2 $Leaf (component $L))
      (instance $leaf (instantiate $L))
      (export "add" (func $leaf "add")))
    (instance $inner (instantiate $Inner))
    (instance $group (export "add" (func $inner "add")))
    (export "group" (instance $group)))
  (instance $middle (instantiate $Middle))
  (alias export $middle "group" (instance $group))
  (export "add" (func $group "add")))
(assert_return (invoke "add" (tuple.const (u8.const 200) (u8.const 100))) (u32.const 300))

;; What a component imports, it exports again under another name.
(component
  (component $Source
    (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))
    (core instance $i (instantiate $m))
    (func (export "triple") (param "n" u32) (result u32) (canon lift (core func $i "f"))))
  (component $Forward
    (import "in" (instance $in (export "triple" (func (param "n" u32) (result u32)))))
    (import "f" (func $f (param "n" u32) (result u32)))
    (export "whole" (instance $in))
    (export "part" (func $in "triple"))
    (export "func" (func $f)))
  (instance $source (instantiate $Source))
  (instance $forward (instantiate $Forward (with "in" (instance $source)) (with "f" (func $source "triple"))))
  (alias export $forward "whole" (instance $whole))
  (export "by-whole" (func $whole "triple"))
  (export "by-part" (func $forward "part"))
  (export "by-func" (func $forward "func")))
(assert_return (invoke "by-whole" (u32.const 5)) (u32.const 15))
(assert_return (invoke "by-part" (u32.const 6)) (u32.const 18))
(assert_return (invoke "by-func" (u32.const 7)) (u32.const 21))

;; A component is given a component, and instantiates it.
(component
  (component $Two
    (core module $m (func (export "f") (result i32) (i32.const 2)))
    (core instance $i (instantiate $m))
    (func (export "f") (result u32) (canon lift (core func $i "f"))))
  (component $Runner
    (import "c" (component $c (export "f" (func (result u32)))))
    (instance $i (instantiate $c))
    (export "f" (func $i "f")))
  (instance $r (instantiate $Runner (with "c" (component $Two))))
  (export "f" (func $r "f")))
(assert_return (invoke "f") (u32.const 2))
