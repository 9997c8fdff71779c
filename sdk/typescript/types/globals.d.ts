/**
 * What plugins have on every engine beside the language itself. There is no DOM and nothing of Node.
 */

export {};

declare global {
  interface TextEncoder {
    readonly encoding: "utf-8";
    encode(input?: string): Uint8Array<ArrayBuffer>;
    encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
  }
  var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

  interface TextDecoder {
    readonly encoding: string;
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
  }
  /** On QuickJS, for UTF-8 alone. */
  var TextDecoder: {
    prototype: TextDecoder;
    new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
  };

  /** Lines for the host's log: `warn` and `error` with these levels, all others as `info`. */
  interface Console {
    debug(...values: unknown[]): void;
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
    dir(value: unknown): void;
    trace(...values: unknown[]): void;
    assert(condition: unknown, ...values: unknown[]): void;
    count(label?: string): void;
    time(label?: string): void;
    timeEnd(label?: string): void;
    group(...values: unknown[]): void;
    groupEnd(): void;
  }
  var console: Console;

  /** Random values that are fit for secrets; to be had within a request only. */
  interface Crypto {
    /** At most 65,536 bytes at once. */
    getRandomValues<T extends ArrayBufferView>(into: T): T;
    randomUUID(): string;
  }
  var crypto: Crypto;

  interface Performance {
    /** Milliseconds, of a clock that never goes back. */
    now(): number;
  }
  var performance: Performance;

  /** A letter for each byte → base64. */
  function btoa(binary: string): string;
  function atob(base64: string): string;
}
