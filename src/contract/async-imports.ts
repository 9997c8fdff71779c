/**
 * The imports that may suspend a guest. The compiler passes them to the code generator (`asyncImports`, with
 * the mode `jspi`), the runner's implementations of them return promises; a name that is missing on one side
 * either passes a promise to a guest as its result or never suspends.
 *
 * Names carry no version, since the generator matches them without one. Everything that is not listed returns
 * at once, and a call that cannot suspend also works where suspending is impossible (while a component is
 * instantiated, or beneath another component's adapter). So streams wait in components that import HTTP alone:
 * in all others nothing that they are made of ever waits.
 *
 * A change of these lists changes the generated code: it belongs into the engine's key of an artifact.
 *
 * @module
 */

const ASYNC_IMPORTS: readonly string[] = [
  "local:network-host/key-value-store#[method]key-value-store.get",
  "local:network-host/key-value-store#[method]key-value-store.set",
  "wasi:io/poll#poll",
  "wasi:io/poll#[method]pollable.block",
];

/** What bodies of HTTP wait in. */
const HTTP_ASYNC_IMPORTS: readonly string[] = [
  "wasi:io/streams#[method]input-stream.blocking-read",
  "wasi:io/streams#[method]input-stream.blocking-skip",
  "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-flush",
  "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-splice",
];

const HTTP = /^wasi:http\/types(?:@|$)/;

/**
 * Imports that return a promise, as `interface#function` without versions, for a component that imports
 * `interfaces` (with or without versions).
 */
export function asyncImports(interfaces: readonly string[]): string[] {
  return interfaces.some((name) => HTTP.test(name)) ? [...ASYNC_IMPORTS, ...HTTP_ASYNC_IMPORTS] : [...ASYNC_IMPORTS];
}
