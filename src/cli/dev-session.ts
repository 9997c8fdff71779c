/**
 * What `dev` does at each save: builds, lets the replica take the component over, asks it, and says which policy would do.
 * A save during a build begins another one; what fails leaves the last good version serving.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import type { NatsOptions } from "../nats/connection.ts";
import { smallestPolicy } from "../policy/smallest-policy.ts";
import type { Project } from "../project/project.ts";
import { detailOf, type LogRecord } from "./author-log.ts";
import { reportReply, writeReport } from "./call-output.ts";
import { localError } from "./call-reply.ts";
import { sendCall } from "./call-request.ts";
import type { DevReplica } from "./dev-replica.ts";
import { formatError } from "./error-report.ts";
import type { Examiner } from "./examination.ts";
import { readUsage } from "./inspect-usage.ts";
import { builtText, buildProject, examineComponent, failureError, failureText } from "./project-build.ts";
import type { WrittenRequest } from "./request-arguments.ts";
import { styled, type Terminal, write } from "./terminal.ts";

/** What a session has for as long as it lasts. */
export interface DevSessionOptions {
  readonly project: Project;
  readonly name: PluginName;
  readonly replica: DevReplica;
  readonly examiner: Examiner;
  readonly nats: NatsOptions;
  /** Makes the request that is sent after each load; absent, nothing is sent. */
  readonly request: (() => WrittenRequest) | undefined;
  readonly terminal: Terminal;
  /** Ends the session. */
  readonly signal: AbortSignal;
}

interface AskedRequest {
  readonly id: string;
  /** What the log has said of it. */
  detail: string | undefined;
}

export class DevSession {
  readonly #options: DevSessionOptions;
  #round = Promise.resolve();
  #building: AbortController | undefined;
  #policy = "";
  /** Has a version served? The last one goes on where a build fails. */
  #version: "none" | "serves" = "none";
  /** The last request that was sent. */
  #asked: AskedRequest | undefined;

  constructor(options: DevSessionOptions) {
    this.#options = options;
  }

  /** Begins a round, and gives up the build of the one before. Rejects only where the session cannot continue. */
  async next(): Promise<void> {
    this.#building?.abort(new HostError("build-failed", "there is a newer save"));
    const building = new AbortController();
    this.#building = building;
    const before = this.#round;
    this.#round = before.then(async () => {
      const signal = AbortSignal.any([building.signal, this.#options.signal]);
      if (!signal.aborted) await this.#run(signal);
    });
    await this.#round;
  }

  /** Is this the record of the session's own request? Its outcome is shown with the reply. */
  takes(record: LogRecord): boolean {
    if (this.#asked === undefined || record["id"] !== this.#asked.id) return false;
    this.#asked.detail = detailOf(record);
    return true;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { terminal } = this.#options;
    try {
      const component = await this.#build(signal);
      if (component === undefined) await this.#showWaiting();
      if (component === undefined || signal.aborted) return;
      // Before the component is examined for what is shown of it, so that the reply comes first.
      const outcome = await this.#options.replica.serve(component);
      if (outcome === "serves") this.#version = "serves";
      if (outcome === "serves") await this.#ask();
      if (outcome !== "kept") await this.#showPolicy(component);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toHostError(thrown);
      if (error.code !== "build-failed") throw error;
      await write(terminal.stderr, formatError(error, terminal.stderr));
    }
  }

  /** The component; `undefined` where the build failed, which was shown. */
  async #build(signal: AbortSignal): Promise<string | undefined> {
    const { project, terminal } = this.#options;
    const { stderr } = terminal;
    const { outcome, durationMs } = await buildProject(project, stderr, signal);
    if (outcome.kind === "failed") {
      await write(stderr, `${failureText(outcome)}${formatError(failureError(outcome), stderr)}`);
      return undefined;
    }
    const { component, remarks } = outcome;
    if (remarks !== "") await write(stderr, `${remarks}\n`);
    if (signal.aborted) return undefined;
    await write(stderr, await builtText(project, { component, durationMs }, undefined, stderr));
    return component;
  }

  /** After a build that failed: what callers get now, and what comes next. */
  async #showWaiting(): Promise<void> {
    const { stderr } = this.#options.terminal;
    const state = this.#version === "serves" ? "the last good version goes on serving" : "nothing serves yet";
    await write(stderr, styled(stderr, "quiet", `${state}; waiting for a save, Ctrl-C ends it\n`));
  }

  async #ask(): Promise<void> {
    const { name, nats, terminal } = this.#options;
    const request = this.#options.request?.();
    if (request === undefined) return;
    const plugin = name;
    const asked: AskedRequest = { id: request.id, detail: undefined };
    this.#asked = asked;
    const reply = await sendCall({ ...request, nats, plugin }).then(
      ({ reply: received, connectMs, roundTripMs }) => ({ reply: received, times: { connectMs, roundTripMs } }),
      (thrown: unknown) => {
        const body = new Uint8Array(0);
        return {
          reply: { kind: "error", error: localError(toHostError(thrown)), id: undefined, body } as const,
          times: undefined,
        };
      },
    );
    const { detail } = asked;
    const report = { ...reportReply({ ...request, plugin }, reply.reply), warnings: [], times: reply.times };
    await writeReport({ ...report, ...(detail !== undefined && { detail }) }, {}, terminal);
  }

  /** Shows the smallest policy that would do, where it is another one than was shown last. */
  async #showPolicy(component: string): Promise<void> {
    const { name, nats, examiner, terminal } = this.#options;
    const { outcome } = await examineComponent(examiner, name, component);
    if (outcome.kind !== "loaded") return;
    const usage = await readUsage(nats, name).catch(() => undefined);
    const policy = smallestPolicy(name, outcome.requested, usage?.targets).replace(/^#.*\n/, "");
    if (policy === this.#policy) return;
    this.#policy = policy;
    const heading = styled(terminal.stderr, "quiet", "the smallest policy that would do:");
    await write(terminal.stderr, `${heading}\n${policy.replaceAll(/^(?=.)/gm, "  ")}`);
  }
}
