/**
 * The component model's own tests, as the crate `wasm-tools` carries them: it is the one package that does. They are
 * data for tests, fetched by cargo, checked against a digest and kept outside of git.
 *
 * @module
 */

import { join } from "node:path";
import { obtainCrate } from "./crates.ts";

/** The version of the tools that jco's assembler and validator are made of, so that they understand all of it. */
const CRATE = {
  name: "wasm-tools",
  version: "1.259.0",
  sha256: "5b08fa752345df58158a86aa48cb747e019f75609de93800f89e3b9274d8040c",
};

/** @returns the folder with the specification's `.wast` files. */
export async function obtainSpecificationTests(): Promise<string> {
  return join(await obtainCrate(CRATE), "tests", "component-model", "test");
}
