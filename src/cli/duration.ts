import { badSetting } from "./settings.ts";

const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** Longest duration: the longest deadline a plugin may have. */
const MAX_DURATION_MS = 600_000;

/** Milliseconds of `500`, `500ms`, `5s`, `1.5s` or `2m`, 1 ms to 10 minutes. Throws `usage-invalid` naming `flag`. */
export function parseDurationMs(flag: string, text: string): number {
  const [, amount, unit = "ms"] = DURATION.exec(text) ?? [];
  const durationMs = Math.round(Number(amount) * (UNIT_MS[unit] ?? Number.NaN));
  if (durationMs >= 1 && durationMs <= MAX_DURATION_MS) return durationMs;
  throw badSetting(
    { text, source: flag },
    "write milliseconds or a number with a unit, 1ms to 10m; for example 500ms, 5s or 1m",
  );
}
