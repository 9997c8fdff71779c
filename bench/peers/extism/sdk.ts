/**
 * The part of Extism's SDK that is used. It is installed beside this file when it is measured, so its own types are not
 * there when this project is checked.
 *
 * @module
 */

export interface SdkOutput {
  bytes(): Uint8Array;
}

export interface SdkPlugin {
  call(name: string, input: Uint8Array): Promise<SdkOutput | null>;
  reset(): Promise<boolean>;
  close(): Promise<void>;
}

export interface CallContext {
  read(address: bigint): SdkOutput | null;
  store(bytes: Uint8Array): bigint;
}

export interface Sdk {
  readonly createPlugin: (manifest: object, options: object) => Promise<SdkPlugin>;
}

const PACKAGE: string = "@extism/extism";

export async function loadSdk(): Promise<Sdk> {
  return (await import(PACKAGE)) as Sdk;
}
