/**
 * What a line of standard error begins with that tells what a counted process called.
 *
 * @module
 */

export const HOST_MARK = "calls of the host: ";
export const RUNNER_MARK = "calls of the runner: ";
