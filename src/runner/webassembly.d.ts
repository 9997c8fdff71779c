/**
 * The part of WebAssembly's JavaScript interface that the runner uses; neither TypeScript's ECMAScript library
 * nor Node's types declare it.
 *
 * @see https://webassembly.github.io/spec/js-api/
 */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, unknown>>;

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Readonly<Record<string, unknown>>;
  }

  interface MemoryDescriptor {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }

  class Memory<Buffer extends ArrayBufferLike = ArrayBuffer> {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: Buffer;
    /** Grows the memory by `pages` pages. Throws a RangeError where it cannot grow so far. */
    grow(pages: number): number;
  }

  class Global {
    value: number | bigint;
  }

  class RuntimeError extends Error {}

  /** What a guest throws; not an `Error`. */
  class Exception {}

  /** JavaScript promise integration: https://webassembly.github.io/js-promise-integration/ */
  let Suspending: new (body: (...args: readonly unknown[]) => unknown) => object;

  /** JavaScript promise integration: makes a suspendable function of an exported one. */
  function promising(exported: unknown): unknown;

  function compile(bytes: Uint8Array): Promise<Module>;
}
