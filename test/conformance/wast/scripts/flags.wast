;; More flags than one integer holds.
;; (No standard tool makes them any more: the text format caps flags at 32, and so does the validator.)

;; 33 flags: 2 words
(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256))
    (func (export "count") (param i32 i32) (result i32)
      (i32.add (i32.add (i32.const 0) (i32.mul (i32.popcnt (local.get 0)) (i32.const 1))) (i32.mul (i32.popcnt (local.get 1)) (i32.const 10))))
    (func (export "all") (result i32) (i32.store (i32.const 16) (i32.const -1)) (i32.store (i32.const 20) (i32.const -1)) (i32.const 16))
    (func (export "back") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
  (core instance $i (instantiate $m))
  (type $t (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32"))
  (export $t' "t" (type $t))
  (func (export "count") (param "f" $t') (result u32) (canon lift (core func $i "count")))
  (func (export "all") (result $t') (canon lift (core func $i "all") (memory (core memory $i "mem"))))
  (func (export "back") (param "f" $t') (result $t') (canon lift (core func $i "back") (memory (core memory $i "mem")))))
(assert_return (invoke "count" (flags.const)) (u32.const 0))
(assert_return (invoke "count" (flags.const "f0" "f31" "f32")) (u32.const 12))
(assert_return (invoke "count" (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32")) (u32.const 42))
;; Bits without a flag are nobody's.
(assert_return (invoke "all") (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32"))
(assert_return (invoke "back" (flags.const)) (flags.const))
(assert_return (invoke "back" (flags.const "f1" "f32" "f32")) (flags.const "f1" "f32" "f32"))

;; 64 flags: 2 words
(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256))
    (func (export "count") (param i32 i32) (result i32)
      (i32.add (i32.add (i32.const 0) (i32.mul (i32.popcnt (local.get 0)) (i32.const 1))) (i32.mul (i32.popcnt (local.get 1)) (i32.const 10))))
    (func (export "all") (result i32) (i32.store (i32.const 16) (i32.const -1)) (i32.store (i32.const 20) (i32.const -1)) (i32.const 16))
    (func (export "back") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
  (core instance $i (instantiate $m))
  (type $t (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63"))
  (export $t' "t" (type $t))
  (func (export "count") (param "f" $t') (result u32) (canon lift (core func $i "count")))
  (func (export "all") (result $t') (canon lift (core func $i "all") (memory (core memory $i "mem"))))
  (func (export "back") (param "f" $t') (result $t') (canon lift (core func $i "back") (memory (core memory $i "mem")))))
(assert_return (invoke "count" (flags.const)) (u32.const 0))
(assert_return (invoke "count" (flags.const "f0" "f31" "f63")) (u32.const 12))
(assert_return (invoke "count" (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63")) (u32.const 352))
;; Bits without a flag are nobody's.
(assert_return (invoke "all") (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63"))
(assert_return (invoke "back" (flags.const)) (flags.const))
(assert_return (invoke "back" (flags.const "f1" "f32" "f63")) (flags.const "f1" "f32" "f63"))

;; 70 flags: 3 words
(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 256))
    (func (export "count") (param i32 i32 i32) (result i32)
      (i32.add (i32.add (i32.add (i32.const 0) (i32.mul (i32.popcnt (local.get 0)) (i32.const 1))) (i32.mul (i32.popcnt (local.get 1)) (i32.const 10))) (i32.mul (i32.popcnt (local.get 2)) (i32.const 100))))
    (func (export "all") (result i32) (i32.store (i32.const 16) (i32.const -1)) (i32.store (i32.const 20) (i32.const -1)) (i32.store (i32.const 24) (i32.const -1)) (i32.const 16))
    (func (export "back") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.store (i32.const 24) (local.get 2)) (i32.const 16)))
  (core instance $i (instantiate $m))
  (type $t (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63" "f64" "f65" "f66" "f67" "f68" "f69"))
  (export $t' "t" (type $t))
  (func (export "count") (param "f" $t') (result u32) (canon lift (core func $i "count")))
  (func (export "all") (result $t') (canon lift (core func $i "all") (memory (core memory $i "mem"))))
  (func (export "back") (param "f" $t') (result $t') (canon lift (core func $i "back") (memory (core memory $i "mem")))))
(assert_return (invoke "count" (flags.const)) (u32.const 0))
(assert_return (invoke "count" (flags.const "f0" "f31" "f69")) (u32.const 102))
(assert_return (invoke "count" (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63" "f64" "f65" "f66" "f67" "f68" "f69")) (u32.const 952))
;; Bits without a flag are nobody's.
(assert_return (invoke "all") (flags.const "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32" "f33" "f34" "f35" "f36" "f37" "f38" "f39" "f40" "f41" "f42" "f43" "f44" "f45" "f46" "f47" "f48" "f49" "f50" "f51" "f52" "f53" "f54" "f55" "f56" "f57" "f58" "f59" "f60" "f61" "f62" "f63" "f64" "f65" "f66" "f67" "f68" "f69"))
(assert_return (invoke "back" (flags.const)) (flags.const))
(assert_return (invoke "back" (flags.const "f1" "f32" "f69")) (flags.const "f1" "f32" "f69"))
