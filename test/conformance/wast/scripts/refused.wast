;; What the host takes nothing of, since WASI 0.2 has none of it: the reason has a name.

(component (type (stream u8)))
(component (type (future u8)))
(component (type (list u8 4)))
(component (type (map string u8)))
(component (core type (func)))
(component (core module $m) (export "m" (core module $m)))
(component (canon task.cancel (core func)))
