/**
 * `wasi:filesystem`, without a file system. A guest gets no directory, so it has no descriptor; the types exist so that
 * components can be linked.
 *
 * @module
 */

import type * as PublishedPreopens from "@bytecodealliance/preview2-shim/interfaces/wasi-filesystem-preopens";
import type * as PublishedTypes from "@bytecodealliance/preview2-shim/interfaces/wasi-filesystem-types";
import { absentResource, type Namespace, namespace } from "../guest/namespaces.ts";
import type { Functions } from "./published-types.ts";
import { expectFailure } from "./streams.ts";

export const preopens: Namespace = namespace({
  getDirectories: () => [],
} satisfies Functions<typeof PublishedPreopens>);

/** No error of a stream comes from a file. */
function filesystemErrorCode(error: unknown): undefined {
  expectFailure(error);
  return undefined;
}

const functions = { filesystemErrorCode } satisfies Functions<typeof PublishedTypes>;

export const types: Namespace = namespace({
  Descriptor: absentResource(),
  DirectoryEntryStream: absentResource(),
  ...functions,
});
