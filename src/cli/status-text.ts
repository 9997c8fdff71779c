/**
 * A replica's state as text for a terminal.
 *
 * @module
 */

import type { FilesReport, PluginReport, StatusReport, WrpcReport } from "../control/report.ts";
import type { ReadinessCheck } from "../telemetry/health-server.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { alignColumns, type OutputStream, type Style, styled } from "./terminal.ts";

const STATE_STYLES: Readonly<Record<StatusReport["state"], Style>> = {
  starting: "warning",
  ready: "good",
  "not-ready": "bad",
  draining: "warning",
};

const PLUGIN_STYLES: Readonly<Record<PluginReport["state"], Style>> = {
  loading: "warning",
  granted: "good",
  denied: "bad",
  failed: "bad",
  unloadable: "bad",
};

const SHORT_DIGEST_LENGTH = 12;

/** All of it, with a line end. */
export function statusText(report: StatusReport, stream: OutputStream): string {
  const { replica, state, since, checks, nats, store, wrpc, inFlight, plugins } = report;
  const { id, pid, group, version, started } = replica;
  const heading = `replica ${printableText(id)} (process ${pid}, group ${printableText(group)}): ${styled(stream, STATE_STYLES[state], state)} since ${since}`;
  const rows = [
    ["version", `${version}, started ${started}`],
    ["nats", checkText(checks.nats, stream) + (nats === null ? "" : `, ${nats.server} since ${nats.since}`)],
    ["subscriptions", checkText(checks.subscriptions, stream)],
    ["store", checkText(checks.store, stream) + (store === null ? "" : `, ${store.kind} since ${store.since}`)],
    ["plugins", checkText(checks.plugins, stream)],
    ...(wrpc.length === 0 ? [] : [["wrpc", wrpc.map(wrpcText).join(", ")]]),
    ["in flight", String(inFlight)],
    ["files", filesSummary(report.files, stream)],
  ].map(([name = "", text = ""]) => [`  ${styled(stream, "quiet", name)}`, text]);
  const table = plugins.length === 0 ? [] : ["", ...pluginTable(plugins, stream)];
  return `${[heading, ...alignColumns(rows), ...filesLines(report.files, stream), ...table].join("\n")}\n`;
}

function wrpcText({ plugin, transport, address }: WrpcReport): string {
  return transport === "tcp" ? `${plugin} on ${address}` : `${plugin} over NATS as ${address}`;
}

/** What is wrong with the files, a line each. */
export function filesLines(
  { problems, failure, pendingSettings, warnings }: FilesReport,
  stream: OutputStream,
): readonly string[] {
  return [
    ...problems.map(
      ({ file, line, column, message }) =>
        `  ${styled(stream, "bad", "refused")} ${indented(`${file}:${line}:${column}: ${message}`)}`,
    ),
    ...(failure === null ? [] : [`  ${styled(stream, "bad", failure.code)} ${indented(failure.message)}`]),
    ...pendingSettings.map(
      ({ key, inForce, written }) =>
        `  ${styled(stream, "warning", "restart")} ${key} takes a restart: ${inForce} stays in force, ${written} is written`,
    ),
    ...warnings.map((warning) => `  ${styled(stream, "warning", "warning")} ${indented(warning)}`),
  ];
}

/** A text of others, printable; its further lines are indented. */
export function indented(text: string): string {
  return printableText(text).replaceAll("\n", "\n    ");
}

function checkText(check: ReadinessCheck, stream: OutputStream): string {
  if (!check.ready) return `${styled(stream, "bad", "not ready")}: ${indented(check.reason)}`;
  const ready = styled(stream, "good", "ready");
  return check.degraded === undefined ? ready : `${ready}; ${indented(check.degraded)}`;
}

function filesSummary({ lastGood, problems, failure, pendingSettings }: FilesReport, stream: OutputStream): string {
  const when = lastGood === null ? "not read yet" : `last good at ${lastGood}`;
  const isInForce = problems.length === 0 && failure === null && pendingSettings.length === 0;
  return `${isInForce ? styled(stream, "good", "in force") : styled(stream, "bad", "not all in force")}, ${when}`;
}

function pluginTable(plugins: readonly PluginReport[], stream: OutputStream): readonly string[] {
  const heading = ["PLUGIN", "STATE", "SINCE", "DIGEST", "IN FLIGHT", "PROCESSES", "REQUESTS", "ERRORS"];
  const rows = plugins.map(({ name, state, since, digest, inFlight, runners, requests, errors }) => [
    `  ${name}`,
    styled(stream, PLUGIN_STYLES[state], state),
    since,
    digest?.slice(0, SHORT_DIGEST_LENGTH) ?? "-",
    ...[inFlight, runners, requests, errors].map(String),
  ]);
  const [first = "", ...rest] = heading;
  const titles = [`  ${first}`, ...rest].map((title) => styled(stream, "quiet", title));
  const reasons = plugins.flatMap(({ name, error, refused }) => {
    const because = error ?? refused;
    if (because === null) return [];
    const what = error === null ? "a newer version is refused" : "cannot be served";
    return [`  ${name} ${what}: ${styled(stream, "bad", because.code)} ${indented(because.message)}`];
  });
  return [...alignColumns([titles, ...rows]), ...reasons];
}
