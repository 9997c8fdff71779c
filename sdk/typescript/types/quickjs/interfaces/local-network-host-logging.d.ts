// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.
declare module 'local:network-host/logging@1.0.0' {
  export function log(level: LogLevel, message: string): void;
  /**
   * # Variants
   * 
   * ## `"info"`
   * 
   * ## `"warning"`
   * 
   * ## `"error"`
   */
  export type LogLevel = 'info' | 'warning' | 'error';
}
