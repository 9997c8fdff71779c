/**
 * One real request to each example plugin, by the command line that a user has.
 *
 * @module
 */

import { run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { COMMAND_LINE } from "./host.ts";

/** A request to an example plugin. */
export interface ExampleRequest {
  readonly plugin: string;
  readonly method: string;
  readonly payload: string;
}

/** The plugins of `consumers/default.yaml`. */
export const EXAMPLE_REQUESTS: readonly ExampleRequest[] = [
  { plugin: "echo", method: "say", payload: "hello" },
  { plugin: "user-data-rust", method: "process", payload: "a payload from npm start" },
  { plugin: "user-data-ts", method: "process", payload: "a payload from npm start" },
];

/** The part of `call --json` that is shown. */
export interface ExampleReply {
  readonly ok: boolean;
  readonly status: number | null;
  readonly body: string;
  readonly roundTripMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const CALL_TIMEOUT_MS = 30_000;

/** Sends a request. A reply with an error is a reply; no reply at all is one that says why. */
export async function sendExample(request: ExampleRequest, natsUrl: string): Promise<ExampleReply> {
  const { plugin, method, payload } = request;
  // The exit code says the same as the JSON object: either will do.
  const output = await run(process.execPath, [COMMAND_LINE, "call", plugin, method, payload, "--json"], {
    timeoutMs: CALL_TIMEOUT_MS,
    cwd: ROOT,
    env: { NATS_URL: natsUrl },
    acceptFailure: true,
  });
  return JSON.parse(output) as ExampleReply;
}
