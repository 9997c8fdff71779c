/**
 * Problems in configuration files: what is wrong, where, and what to write instead. Parsers collect every problem of a
 * file and return them; only the loaders throw.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";

/** A place in a text. Lines and columns count from 1; columns are in UTF-16 code units, as in editors. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One problem. An error makes the file unusable; a warning does not. */
export interface Diagnostic extends Position {
  readonly severity: "error" | "warning";
  /** The file as the operator named it. */
  readonly file: string;
  /** One line: what is wrong and what to write instead. */
  readonly message: string;
}

/** A parser's result: a value, possibly with warnings, or every error it found. */
export type Parsed<Value> =
  | { readonly kind: "valid"; readonly value: Value; readonly warnings: readonly Diagnostic[] }
  | {
      readonly kind: "invalid";
      readonly errors: readonly Diagnostic[];
      /** Set if there is no content: the file does not exist or cannot be read. */
      readonly file?: "gone" | "unreadable";
    };

/** No one reads more; the rest is counted. */
const MAX_LINES = 100;

/** Where a problem of the file as a whole is reported. */
export const FILE_START: Position = { line: 1, column: 1 };

/** Collects the problems of one file. */
export class DiagnosticList {
  readonly #file: string;
  readonly #entries: Diagnostic[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  error(at: Position, message: string): void {
    this.#add("error", at, message);
  }

  warning(at: Position, message: string): void {
    this.#add("warning", at, message);
  }

  /** All errors in the order of the file. */
  get errors(): Diagnostic[] {
    return this.#inOrder("error");
  }

  /** All warnings in the order of the file. */
  get warnings(): Diagnostic[] {
    return this.#inOrder("warning");
  }

  #add(severity: Diagnostic["severity"], at: Position, message: string): void {
    this.#entries.push({ severity, file: this.#file, line: at.line, column: at.column, message });
  }

  #inOrder(severity: Diagnostic["severity"]): Diagnostic[] {
    return this.#entries
      .filter((entry) => entry.severity === severity)
      .sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** `file:line:column: message`, the form that editors and terminals turn into links. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, message, severity } = diagnostic;
  return `${file}:${line}:${column}: ${severity === "warning" ? "warning: " : ""}${message}`;
}

/** One `config-invalid` error that holds the `errors`, a line each. */
export function configError(errors: readonly Diagnostic[], cause?: unknown): HostError {
  const lines = errors.slice(0, MAX_LINES).map(formatDiagnostic);
  if (errors.length > MAX_LINES) lines.push(`… and ${errors.length - MAX_LINES} more`);
  return new HostError("config-invalid", lines.join("\n"), { cause });
}
