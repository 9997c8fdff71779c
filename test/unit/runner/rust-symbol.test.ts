import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { demangle } from "../../../src/runner/rust-symbol.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** As rustc 1.95 has written them, and as rustc before 1.90 did. */
const SYMBOLS: readonly [symbol: string, path: string][] = [
  ["_RNvNtCsjrHSEGnQ3l9_3std9panicking15begin_panic_fmt", "std::panicking::begin_panic_fmt"],
  ["_RNCNvNtCsjrHSEGnQ3l9_3std9panicking12default_hook0B5_", "std::panicking::default_hook::{closure#0}"],
  [
    "_RNCNCNCNvNtCsjrHSEGnQ3l9_3std2rt19lang_start_internal00s_0B9_",
    "std::rt::lang_start_internal::{closure#0}::{closure#0}::{closure#1}",
  ],
  ["_RNCNvMsi_NtNtNtCsjrHSEGnQ3l9_3std3sys2fs4unixNtB7_4File4open0Bd_", "std::sys::fs::unix::File::open::{closure#0}"],
  [
    "_RNSNvYNCNCNvNtNtCsjrHSEGnQ3l9_3std3sys9backtrace10__print_fmts_00INtNtNtCsgEmfK2I1SDS_4core3ops8function6FnOnceTRNtNtNtBe_12backtrace_rs9symbolize6SymbolEE9call_once6vtableBe_",
    "<std::sys::backtrace::_print_fmt::{closure#1}::{closure#0} as core::ops::function::FnOnce>::call_once::{shim#0}",
  ],
  [
    "_RINvMNtCsgEmfK2I1SDS_4core5sliceSh11copy_withinINtNtNtB5_3ops5range14RangeInclusivejEECsfEOYDRpO4Ta_11miniz_oxide",
    "[u8]::copy_within",
  ],
  ["_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"],
  [
    "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h3b1cb33e2c4d5a61E",
    "<alloc::string::String as core::fmt::Debug>::fmt",
  ],
];

describe("a symbol of Rust", () => {
  test.each(SYMBOLS)("%s is %s", (symbol, path) => {
    expect(demangle(symbol)).toBe(path);
  });

  test.each([
    "",
    "main",
    "runtime.gopanic",
    "_R",
    "_RNv",
    "_ZN",
    "_ZN4mainE",
    "_ZN4main17h0123456789abcdeE",
    "_ZNSt6vectorIiSaIiEE9push_backEOi",
    "_RB_",
    `_R${"Nv".repeat(3_000)}`,
  ])("leaves %s as it is", (name) => {
    expect(demangle(name)).toBe(name);
  });

  test("takes no time and no length beyond its own, whatever a guest makes up", () => {
    // A tuple of a tuple and a reference to it, and so on: each level doubles what would be printed.
    const doubling = (levels: number, at: number): string =>
      levels === 0 ? "u" : `T${doubling(levels - 1, at + 1)}B${at.toString(36)}_E`;
    const symbolOf = (levels: number): string => `_RNvMC1a${doubling(levels, 6)}1x`;
    expect(demangle(symbolOf(3))).toBe("((((), ()), ((), ())), (((), ()), ((), ())))::x");
    expect(demangle(symbolOf(20))).toBe(symbolOf(20));
    const part = fc.constantFrom(..."BCIMNXYTREFDKLpsuv_0123456789abcz".split(""), "4core", "B_", "B0_");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.constantFrom("_R", "_ZN"), (parts, prefix) => {
        expect(demangle(prefix + parts.join("")).length).toBeLessThan(20_000);
      }),
      { numRuns: 20_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});
