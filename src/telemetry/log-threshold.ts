/** The least severe level of log records that are written. */
export type LogThreshold = "debug" | "info" | "warn" | "error" | "silent";

export const LOG_THRESHOLDS: readonly LogThreshold[] = ["debug", "info", "warn", "error", "silent"];
