import type { Logger } from "../../../src/telemetry/logger.ts";

/** Remembers what is logged: its level and its text. */
export function remembering(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (...args: readonly unknown[]): void =>
      void lines.push(`${level}: ${String(args.at(-1))}`);
  return { logger: { info: at("info"), warn: at("warn"), error: at("error") } as unknown as Logger, lines };
}
