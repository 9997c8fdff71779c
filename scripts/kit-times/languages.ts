/**
 * The languages of the kit, and how an author works in each without it: the commands of the language's page in
 * docs/write-a-plugin, with packed packages where no registry has them.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** How an author of one language works. Paths begin at the project's folder. */
export interface AuthorsLanguage {
  readonly source: string;
  readonly component: string;
  /** Files beside the source that an author writes, and not a command. */
  readonly written: readonly string[];
  /** From an empty folder to one that can be built. `$SDK` is the folder of packed packages. */
  readonly start: readonly string[];
  /** Also what makes a changed source a component. */
  readonly build: string;
  readonly env?: (sdk: string) => Readonly<Record<string, string>>;
}

const VERSION = "1.0.0";

/** What the page has an author add to the manifest that `cargo init` writes. */
const RUST_MANIFEST = String.raw`printf '\n[lib]\ncrate-type = ["cdylib"]\n\n[profile.release]\nopt-level = "z"\nlto = true\ncodegen-units = 1\npanic = "abort"\nstrip = true\n' >> Cargo.toml`;

const GO_MODULE = "network-host.example/networkplugin";

export const LANGUAGES: Readonly<Record<string, AuthorsLanguage>> = {
  typescript: {
    source: "plugin.ts",
    component: "plugin.wasm",
    written: ["tsconfig.json"],
    start: ["npm init -y", `npm install --save-dev "$SDK/network-plugin-api-${VERSION}.tgz"`],
    build: "npx network-plugin-api build",
  },
  c: {
    source: "plugin.c",
    component: "build/hello.wasm",
    written: ["CMakeLists.txt"],
    start: [
      `mkdir sdk && tar -xzf "$SDK/network-plugin-api-c-${VERSION}.tar.gz" -C sdk`,
      `cmake -B build -DCMAKE_TOOLCHAIN_FILE=sdk/network-plugin-api-c-${VERSION}/cmake/zig.cmake`,
    ],
    build: "cmake --build build",
  },
  python: {
    source: "plugin.py",
    component: "plugin.wasm",
    written: [],
    start: [
      "python3 -m venv .venv",
      `.venv/bin/pip install --quiet "$SDK/network_plugin_api-${VERSION}-py3-none-any.whl"`,
    ],
    build: ".venv/bin/python -m network_plugin build",
  },
  go: {
    source: "main.go",
    component: "plugin.wasm",
    written: [],
    start: ["go mod init hello", `go get -tool ${GO_MODULE}/cmd/network-plugin@v${VERSION}`],
    build: "go tool network-plugin build",
    env: (sdk) => ({
      GOPROXY: `${pathToFileURL(join(sdk, "goproxy")).href},${process.env["GOPROXY"] || "https://proxy.golang.org,direct"}`,
      GONOSUMDB: GO_MODULE,
    }),
  },
  rust: {
    source: "src/lib.rs",
    component: "target/wasm32-wasip2/release/hello.wasm",
    written: [],
    start: [
      "cargo init --quiet --lib --name hello",
      `mkdir sdk && tar -xzf "$SDK/network-plugin-api-${VERSION}.crate" -C sdk`,
      `cargo add --quiet --path sdk/network-plugin-api-${VERSION} network-plugin-api`,
      RUST_MANIFEST,
    ],
    build: "cargo build --release --target wasm32-wasip2",
  },
};
