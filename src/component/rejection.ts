/**
 * How the reader and the gate say no: one error code, and a message that names the rule, the place and what
 * to do. Text that comes from the component is quoted, so that it can break neither a log nor a terminal.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";

const QUOTE_MAX_LENGTH = 80;

/** A place in a component: the byte's offset in the file and the nested component or module around it. */
export interface Place {
  readonly offset: number;
  /** For example `component` or `component > component 0 > core module 2`. */
  readonly path: string;
}

/** The error for a broken rule. `rule` says what is wrong, `advice` what the author can do about it. */
export function rejection(rule: string, place: Place, advice: string): HostError {
  return new HostError("component-rejected", `${rule} (at byte ${place.offset}, in ${place.path}); ${advice}`);
}

/** Quotes text of the component for a message: printable ASCII only, and not too long. */
export function quote(text: string): string {
  const short = text.length > QUOTE_MAX_LENGTH ? `${text.slice(0, QUOTE_MAX_LENGTH)}...` : text;
  const escaped = JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return escaped;
}
