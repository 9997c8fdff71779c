/**
 * The replica's log: one JSON record a line on a pipe, aligned and coloured text on a terminal. Records are
 * written to standard output a few milliseconds' worth at a time and without waiting for the reader; a reader that is
 * too slow, or a disk that is full, costs records, which are counted in a later one, and never memory or time of
 * requests.
 *
 * Nothing that looks like a credential is logged, wherever it is in a record.
 *
 * @module
 */

import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { serializeError } from "./error-serializer.ts";
import type { LogThreshold } from "./log-threshold.ts";
import { scrubSecrets } from "./redaction.ts";
import { prettyMessage, registerOutput, timeField } from "./request-log.ts";
import { type DropReason, StandardOutput } from "./standard-output.ts";

export type { Logger } from "pino";

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  readonly level: LogThreshold;
  /** Text for people instead of JSON. */
  readonly pretty: boolean;
  /** With {@link pretty}: colour it. */
  readonly colour?: boolean;
  /** Is in every record. */
  readonly base: { readonly replica: string; readonly group: string };
  /** Where lines go. What a {@link StandardOutput} drops is told in a later record. */
  readonly destination: DestinationStream;
}

/** Creates the replica's logger. */
export function createLogger(options: LoggerOptions): Logger {
  const output = options.destination;
  const lines = options.pretty ? prettyOutput(output, options.colour ?? false) : output;
  const logger = pino(
    {
      level: options.level,
      base: options.base,
      timestamp: timeField,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      // The last step before a line is written, so that no field and no message escapes it.
      hooks: { streamWrite: scrubSecrets },
    },
    lines,
  );
  registerOutput(logger, lines);
  if (output instanceof StandardOutput) {
    output.onMissed(({ reason, ...facts }) =>
      logger.warn({ ...facts, reason }, `log records were dropped: ${DROP_REASONS[reason]}`),
    );
  }
  return logger;
}

const DROP_REASONS = {
  "slow-reader": "whoever reads this output is too slow",
  "write-failed": "this output could not be written to",
} as const satisfies Record<DropReason, string>;

function prettyOutput(output: DestinationStream, colour: boolean): DestinationStream {
  const prettify = pretty.prettyFactory({
    colorize: colour,
    colorizeObjects: colour,
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "replica,group",
    errorLikeObjectKeys: ["err"],
    messageFormat: prettyMessage,
  });
  return { write: (line) => output.write(prettify(line)) };
}
