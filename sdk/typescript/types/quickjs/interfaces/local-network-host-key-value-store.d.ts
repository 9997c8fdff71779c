// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.
declare module 'local:network-host/key-value-store@1.0.0' {
  
  export class KeyValueStore implements Disposable {
    /**
    * Opens a bucket and returns a handle.
    */
    constructor(bucketName: string)
    /**
    * Gets a value by key.
    */
    get(key: string): Uint8Array | null;
    /**
    * Sets a value for a key.
    */
    set(key: string, value: Uint8Array): void;
    [Symbol.dispose](): void;
  }
}
