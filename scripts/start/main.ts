/**
 * `npm start`: builds, finds or starts what the host needs, serves the example plugins, sends one request to each, and
 * keeps serving until Ctrl-C. With `--once` it stops after the replies.
 *
 * What was started here ends in the reverse order: first the replica, drained, then NATS.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { buildExamples } from "../build/examples.ts";
import { buildHost } from "../build/host.ts";
import { CommandError } from "../lib/command.ts";
import { ServerMissingError } from "../servers/binaries.ts";
import { type Host, HostStartError, startHost } from "./host.ts";
import { Interruption } from "./interruption.ts";
import { NatsMissingError, type NatsToUse, planNats } from "./nats.ts";
import { EXAMPLE_REQUESTS, sendExample } from "./requests.ts";
import { showDone, showExchange, showNextSteps, showProblem, showWork } from "./screen.ts";

/** Errors that say all there is to say: no stack is shown. */
const PLAIN_ERRORS = [CommandError, ServerMissingError, HostStartError, NatsMissingError];

try {
  const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
  process.exitCode = await start(values.once);
} catch (error) {
  const isPlain = PLAIN_ERRORS.some((plain) => error instanceof plain) || isUsageError(error);
  showProblem(isPlain && error instanceof Error ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = isUsageError(error) ? 2 : 1;
}

async function start(once: boolean): Promise<number> {
  showDone("build", (await buildHost()) ? "dist/" : "dist/ is up to date");
  await buildExamples();
  const plan = await planNats(showWork);
  // From here on there are children to end: an interruption must not end this process first.
  using interruption = new Interruption();
  await using nats = await plan.start();
  showDone("NATS", `${withoutCredentials(nats.url)} (${nats.origin})`);
  const store = process.env["MONGODB_URL"] ? "MongoDB (MONGODB_URL)" : "SQLite, embedded (MONGODB_URL names a MongoDB)";
  showDone("store", store);
  const host = await startHost(nats.url, interruption.first);
  interruption.onSecond(() => void host.stop());
  let exitCode = 1;
  try {
    showDone("replica", `${host.healthUrl}/readyz`);
    exitCode = await serve(host, nats, interruption.first, once);
  } finally {
    const { code, signal } = await host.stop();
    if (code === 0) showDone("stopped", "every accepted request was answered");
    else {
      showProblem(`The replica ended with ${signal ?? `exit code ${code}`}.`);
      exitCode = 1;
    }
  }
  return exitCode;
}

async function serve(host: Host, nats: NatsToUse, interrupted: Promise<void>, once: boolean): Promise<number> {
  const allAnswered = await sendAll(nats);
  if (!allAnswered) {
    host.showLog();
    return 1;
  }
  if (once) return 0;
  showNextSteps(nats.url === "nats://127.0.0.1:4222" ? "" : `NATS_URL=${withoutCredentials(nats.url)} `);
  host.showLog();
  await Promise.race([host.ended, interrupted]);
  return 0;
}

/** Sends every example request. @returns whether each plugin answered with success. */
async function sendAll(nats: NatsToUse): Promise<boolean> {
  let allAnswered = true;
  for (const request of EXAMPLE_REQUESTS) {
    const reply = await sendExample(request, nats.url);
    showExchange(request, reply);
    allAnswered &&= reply.ok && reply.status === 200;
  }
  return allAnswered;
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

function isUsageError(error: unknown): boolean {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
