/**
 * Every component that this repository builds.
 *
 * @module
 */

import { cRecipe } from "./c.ts";
import { cargoComponentRecipe } from "./cargo-component.ts";
import type { CommittedFolder } from "./committed.ts";
import type { GoPlugin } from "./go.ts";
import type { Recipe } from "./recipe.ts";
import { rustRecipe } from "./rust.ts";

/** Folders of committed components. */
export const EXAMPLES: CommittedFolder = { folder: "examples", ignored: ["user-data-ts/user-data-ts.wasm"] };
export const TEST_COMPONENTS: CommittedFolder = { folder: "test/components", ignored: [] };

/** The key-value example, in Rust. */
export const RUST_EXAMPLES: readonly Recipe[] = [
  rustRecipe({
    output: "user-data-rust/user-data-rust.wasm",
    folder: "examples/user-data-rust",
    library: "user_data_rust",
  }),
];

/** The same by cargo-component, which is a toolchain of its own. */
export const CARGO_COMPONENT_EXAMPLES: readonly Recipe[] = [
  cargoComponentRecipe({
    output: "user-data-cargo-component/user-data-cargo-component.wasm",
    folder: "examples/user-data-cargo-component",
    library: "user_data_cargo_component",
  }),
];

/** The smallest useful plugin, in C. */
export const C_EXAMPLES: readonly Recipe[] = [
  cRecipe({
    output: "echo-c/echo.wasm",
    sources: [
      "examples/echo-c/plugin.c",
      "examples/echo-c/generated/echo.c",
      "examples/echo-c/generated/echo_component_type.o",
    ],
  }),
];

const GAUNTLET_SOURCES = ["gauntlet", "replies", "store", "system", "faults", "levels"];

/** The flags that each gauntlet requests. */
const GAUNTLET_LEVELS: Readonly<Record<string, number>> = { none: 0, read: 1, write: 2, "read-write": 3 };
const GAUNTLET_LEVELS_WITH_HTTP: Readonly<Record<string, number>> = { http: 4, all: 7 };

/** What Rust's own bindings and its standard library make of sending requests, and of keeping state. */
export const RUST_TEST_PLUGINS: readonly Recipe[] = ["fetch", "conformance"].map((name) =>
  rustRecipe({
    output: `${name}-rust.wasm`,
    folder: `test/plugins/${name}-rust`,
    library: `${name}_rust`,
    ownStd: true,
  }),
);

/** The same in Go, and too large to commit. */
export const GO_TEST_PLUGINS = {
  conformance: {
    name: "conformance-go",
    folder: "test/plugins/conformance-go",
    wit: "test/plugins/conformance-js/conformance.wit",
    world: "conformance",
    wasi: ["random"],
  },
  fetch: {
    name: "fetch-go",
    folder: "test/plugins/fetch-go",
    wit: "test/plugins/fetch-go/fetch.wit",
    world: "fetch",
    // HTTP names all the others.
    wasi: ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"],
  },
} as const satisfies Readonly<Record<string, GoPlugin>>;

const PROBES = ["loop", "trap", "hog", "store", "changing", "unknown-bits"];

/** Hostile and special plugins for the tests. */
export const TEST_PLUGINS: readonly Recipe[] = [
  ...Object.entries(GAUNTLET_LEVELS).map(([name, flags]) =>
    testPlugin(`gauntlet-${name}`, sourcesOf(GAUNTLET_SOURCES), [`-DLEVELS=${flags}`]),
  ),
  ...Object.entries(GAUNTLET_LEVELS_WITH_HTTP).map(([name, flags]) =>
    testPlugin(
      `gauntlet-${name}`,
      [...sourcesOf([...GAUNTLET_SOURCES, "http"]), "test/components/generated/outbound_http_component_type.o"],
      [`-DLEVELS=${flags}`, "-DWITH_HTTP"],
    ),
  ),
  testPlugin(
    "fetcher",
    [...sourcesOf(["gauntlet", "http", "levels"]), "test/components/generated/outbound_http_component_type.o"],
    ["-DLEVELS=4", "-DWITH_HTTP", "-DFETCHER"],
  ),
  testPlugin(
    "conformance-c",
    [
      ...sourcesOf(["gauntlet", "replies", "store", "faults", "http", "levels"]),
      "test/components/generated/outbound_http_component_type.o",
    ],
    ["-DLEVELS=7", "-DWITH_HTTP", "-DCONFORMANCE"],
  ),
  ...PROBES.map((name) =>
    testPlugin(`probe-${name}`, sourcesOf(["probes"]), [`-DPROBE_${name.replace("-", "_").toUpperCase()}`]),
  ),
];

function sourcesOf(names: readonly string[]): string[] {
  return names.map((name) => `test/components/src/${name}.c`);
}

/** Small: an arena stands in for the C library's allocator, and no call of one may become a call of another. */
function testPlugin(name: string, sources: readonly string[], defines: readonly string[]): Recipe {
  return cRecipe({
    output: `${name}.wasm`,
    sources: [
      ...sources,
      ...sourcesOf(["arena"]),
      "test/components/generated/gauntlet.c",
      "test/components/generated/gauntlet_component_type.o",
    ],
    flags: ["-fno-builtin", ...defines],
  });
}
