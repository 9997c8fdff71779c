/**
 * The cases of the contract, which come with the package: what a plugin of every language has to do alike.
 * docs/write-a-plugin/testing.md says which methods a component needs for them.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Absolute path of the test file. */
export const CONFORMANCE_FILE: string = fileURLToPath(new URL("../../conformance/contract.test.yaml", import.meta.url));
