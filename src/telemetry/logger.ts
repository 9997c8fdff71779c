/**
 * The replica's log: one JSON record per line on a pipe, text on a terminal. Records go to standard output in batches
 * of a few milliseconds, without waiting for the reader. A slow reader or a full disk costs records, which a later
 * record counts, but no unbounded memory and no time of requests.
 *
 * Anything that looks like a credential is removed, wherever it is in a record.
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
  /** Fields of every record. */
  readonly base: { readonly replica: string; readonly group: string };
  /** Where lines go. A later record counts what a {@link StandardOutput} drops. */
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
      // The last step before a line is written, so that it covers every field and message.
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
