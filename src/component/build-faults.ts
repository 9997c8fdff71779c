/**
 * What goes wrong in the build of a plugin, from its author's side: what is said, why it is so, and what to do, in general
 * and in each language. The one table of these: messages are made of it, and docs/build-errors.md is generated from it.
 *
 * Languages cause a fault in different ways. A language that cannot cause it is left out.
 *
 * @module
 */

/** How a language comes to a fault, and what to write instead. */
export interface LanguageAdvice {
  readonly cause: string;
  readonly remedy: string;
}

export interface BuildFault {
  /** The heading of its part of the page. */
  readonly title: string;
  /** Says so: parts of the message, each of which is enough. */
  readonly said: readonly string[];
  /** What the module or component does, as a part of a sentence. */
  readonly cause: string;
  /** What to do, in the imperative. */
  readonly remedy: string;
  /** Language or toolchain → what is particular to it. */
  readonly languages: Readonly<Record<string, LanguageAdvice>>;
}

const NO_COMPONENT_ASYNC = "write ordinary functions in WIT and wait within them";

export const BUILD_FAULTS = {
  legacyExceptions: {
    title: "Exceptions of the legacy form",
    said: ["legacy exception handling (", "legacy exceptions", "legacy_exceptions"],
    cause:
      "it uses WebAssembly's exceptions as they were before the standard had any (`try`, `catch`), which are not run here",
    remedy:
      "build it for the standard's exceptions (`try_table`), or translate it with Binaryen 132 or later: `wasm-opt --all-features --disable-compact-imports --translate-to-exnref`; or build it without exceptions",
    languages: {
      "C and C++": {
        cause:
          "`-fwasm-exceptions`, whose default is the legacy form; or `setjmp`, lowered by `-mllvm -wasm-enable-sjlj`",
        remedy: "`-mllvm -wasm-use-legacy-eh=false`, which needs clang 20 or later; or `-fno-exceptions`",
      },
      Rust: {
        cause: 'the standard library was built again (`-Z build-std`) with `panic = "unwind"`',
        remedy: '`panic = "abort"`, which the released standard library of `wasm32-wasip2` has anyway',
      },
      Emscripten: { cause: "`-fwasm-exceptions`", remedy: "`-sWASM_LEGACY_EXCEPTIONS=0`, or `-fno-exceptions`" },
      "Java by TeaVM": {
        cause: "the target WebAssembly GC, which is also bound to JavaScript",
        remedy: "the target WASI (`WEBASSEMBLY_WASI`), which needs neither",
      },
    },
  },
  memories: {
    title: "Several memories in one module",
    said: ["unsupported section found in module using multiple memories", "multi-memory not enabled"],
    cause: "it has more than one linear memory, which the compiler does not take",
    remedy: "link it into one memory, or make components of its parts and compose those",
    languages: {
      "any, by Binaryen": {
        cause:
          "`wasm-merge` of modules that have a memory each; or instrumentation that keeps its data in a second one",
        remedy: "`wasm-opt --multi-memory-lowering`, or no instrumentation",
      },
    },
  },
  stackSwitching: {
    title: "Stack switching",
    said: [
      "stack switching (",
      "stack switching is disabled",
      "stack switching proposal not enabled",
      "continuation types",
    ],
    cause: "it switches stacks (`cont.new`, `suspend`), a proposal that is not run here",
    remedy: "build it without fibres, or with a runtime that keeps its stacks in memory, as Asyncify does",
    languages: {},
  },
  proposals: {
    title: "Another proposal of WebAssembly",
    said: ["instruction 0x", "a core type of the form"],
    cause: "it uses a proposal that is not run here",
    remedy: "build the module without new proposals of WebAssembly",
    languages: {},
  },
  invalid: {
    title: "A module that is not valid",
    said: [
      "type mismatch",
      "unknown ",
      "Compiling function",
      "values remaining on stack",
      "is not enabled",
      "not supported",
      "not enabled",
    ],
    cause: "it is not valid WebAssembly, or uses a proposal that is not run here",
    remedy: "build it again without tools that change modules, and check it with `wasm-tools validate`",
    languages: {},
  },
  async: {
    title: "Component-model async",
    said: [
      "(tasks, streams, threads)",
      "(async, callback)",
      "an asynchronous function type",
      "a resource with an asynchronous destructor",
      "the type `future`",
      "the type `stream`",
      "the type `error-context`",
    ],
    cause: "it uses the asynchronous functions, streams or futures of WASI 0.3, which the contract does not have",
    remedy: `do not use \`async func\`: ${NO_COMPONENT_ASYNC}; with componentize-qjs, build with --sync`,
    languages: {
      Rust: {
        cause: "`async func` in a WIT file, or `async: true` in `wit_bindgen::generate!`",
        remedy: `\`func\`, and no \`async\` in the macro: ${NO_COMPONENT_ASYNC}, for which \`wasi:io/poll\` is there`,
      },
      "JavaScript on QuickJS": {
        cause: "componentize-qjs makes components with asynchronous built-ins unless told otherwise",
        remedy: "`componentize-qjs --sync`",
      },
      Python: {
        cause: "`async func` in a WIT file, and `async def` for it",
        remedy:
          "`func` and `def`; within a request, `asyncio` works on the `PollLoop` of componentize-py's `poll_loop`",
      },
      Go: { cause: "`async func` in a WIT file", remedy: "`func`: goroutines and timers work within a request" },
    },
  },
  threads: {
    title: "Shared memory",
    said: ["shared memory is not supported", "shared and 64-bit tables are not supported"],
    cause: "it was built for threads, which plugins have none of",
    remedy: "build the plugin for the plain wasm32 target, without threads",
    languages: {
      "C and C++": { cause: "`-pthread`, or the target `wasm32-wasi-threads`", remedy: "neither of them" },
      Rust: { cause: "the target `wasm32-wasip1-threads`", remedy: "`wasm32-wasip2`" },
      Emscripten: { cause: "`-pthread` or `-sSHARED_MEMORY`", remedy: "neither of them" },
    },
  },
  memory64: {
    title: "64-bit memory",
    said: ["64-bit memory is not supported"],
    cause: "its addresses are 64 bits wide, and those of components are 32",
    remedy: "build the plugin for the plain wasm32 target",
    languages: {
      "C and C++": { cause: "`--target=wasm64-…`", remedy: "`--target=wasm32-wasi`" },
      Rust: { cause: "`wasm64-unknown-unknown`", remedy: "`wasm32-wasip2`" },
      Emscripten: { cause: "`-sMEMORY64`", remedy: "leave it out" },
    },
  },
  coreModule: {
    title: "A core module in place of a component",
    said: ["a core module in place of a component"],
    cause: "the file is what a linker wrote, and nothing has made a component of it yet",
    remedy: "make one of it: `wasm-tools component embed`, then `wasm-tools component new`",
    languages: {
      Rust: { cause: "the target `wasm32-wasip1` or `wasm32-unknown-unknown`", remedy: "`wasm32-wasip2`" },
      Go: {
        cause: "the output of `go build`",
        remedy:
          "`go tool network-plugin build`, or by hand the two commands after it in [the recipe](../examples/README.md#go)",
      },
      "C and C++": {
        cause: "the output of clang",
        remedy: "`npx @bytecodealliance/jco new`, as in [the recipe](../examples/README.md#c)",
      },
    },
  },
  size: {
    title: "A component that is too large",
    said: ["the component has"],
    cause: "its file is larger than the replica's `componentBytes`",
    remedy: "strip debug information from it and build it for size; else the operator sets `replica.componentBytes`",
    languages: {
      Rust: {
        cause: "debug information, or no optimisation",
        remedy: '`strip = true`, `lto = true`, `opt-level = "s"`',
      },
      Python: {
        cause: "CPython is a part of it: 19 MB with componentize-py 0.25, 36 MB with 0.13 to 0.17",
        remedy: "a newer componentize-py; only packages that are needed",
      },
      Go: { cause: "symbols and debug information", remedy: "`-ldflags='-s -w'`" },
      "C and C++": { cause: "`-g`", remedy: "`-Wl,--strip-all`" },
    },
  },
  time: {
    title: "A compilation that takes too long",
    said: ["it took longer than"],
    cause: "the compiler needed more than the replica's `compileMs`",
    remedy: "link less into it; on a slow machine the operator sets `replica.compileMs`",
    languages: {},
  },
} as const satisfies Record<string, BuildFault>;

/** The first fault that a message names, if the table has it. */
export function findBuildFault(message: string): BuildFault | undefined {
  return Object.values<BuildFault>(BUILD_FAULTS).find(({ said }) => said.some((part) => message.includes(part)));
}
