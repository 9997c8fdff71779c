/**
 * Writes docs/errors.md from the table of errors, and the tables between the markers of docs/limits.md from the
 * table of limits. With `--check`, only compares.
 *
 * @module
 */

import { showValue } from "../src/config/limit-schema.ts";
import { BUILD_FAULTS, type BuildFault } from "../src/component/build-faults.ts";
import { COMPONENT_LIMIT_ROWS } from "../src/contract/component-limits.ts";
import { GUEST_LIMIT_ROWS } from "../src/contract/guest-limits.ts";
import {
  FIXED_LIMIT_ROWS,
  type FixedLimitRow,
  type LimitRow,
  PLUGIN_LIMITS,
  REPLICA_LIMITS,
} from "../src/contract/limits.ts";
import { SUSPENDABLE_STACK_KIB } from "../src/supervisor/process/runner-flags.ts";
import { ERROR_CODES, type ErrorCode, type ErrorRow, errorRow, type Fault } from "../src/errors/table.ts";
import {
  COMPONENT_LIMIT_TESTS,
  FIXED_LIMIT_TESTS,
  GUEST_LIMIT_TESTS,
  type LimitTest,
  PLUGIN_LIMIT_TESTS,
  REPLICA_LIMIT_TESTS,
} from "./limit-tests.ts";
import { formatText, readProjectFile, writeOrCheck } from "./generated-file.ts";
import { fillPage } from "./marked-page.ts";
import { featureTable } from "./surface/features.ts";
import { absentInterfaces, interfaceTable } from "./surface/interfaces.ts";

/** File of the project → its text. */
export async function generateTables(): Promise<ReadonlyMap<string, string>> {
  const errors = "docs/errors.md";
  const limits = "docs/limits.md";
  const buildErrors = "docs/build-errors.md";
  const surface = "docs/write-a-plugin/what-a-component-may-use.md";
  return new Map([
    [errors, await formatText(errors, errorsPage())],
    [buildErrors, await formatText(buildErrors, buildErrorsPage())],
    [limits, await formatText(limits, fillLimits(await readProjectFile(limits)))],
    [surface, await formatText(surface, await fillSurface(surface, await readProjectFile(surface)))],
  ]);
}

const FAULTS: Readonly<Record<Fault, string>> = {
  caller: "the service that sent the request",
  plugin: "the plugin's author",
  operator: "the operator, who runs the replica and writes its policies",
  dependency: "the operator of what the host depends on (NATS, the store)",
  bug: "the maintainers of network-host: please report it",
};

const WORK: Readonly<Record<NonNullable<ErrorRow["work"]>, string>> = {
  none: "none",
  maybe: "perhaps, in part or all",
};

function errorsPage(): string {
  const faults = Object.entries(FAULTS).map(([fault, who]) => `| ${fault} | ${who} |`);
  const sections = ERROR_CODES.map((code) => `## ${code}\n\n${errorRow(code).summary}\n`);
  const overview = ERROR_CODES.map((code) => {
    const { fault, replyCode, work } = errorRow(code);
    const done = work === undefined ? "" : WORK[work];
    return `| [\`${code}\`](#${code}) | ${replyCode} | ${retryability(code)} | ${done} | ${fault} |`;
  });
  return `# Errors

<!-- Generated from src/errors/table.ts by scripts/generate-tables.ts; do not edit. -->

Every failure has one of these codes: in a reply it is the header \`Rpc-Error\`, in a log line the field of the
error, and the command line prints it before the message. A code keeps its meaning permanently; decide by the code,
not by the text. *Number* is the reply's \`Nats-Service-Error-Code\`. *Retryable* says whether the same request, sent
again, may end otherwise. *Work done* says, of codes that a caller may meet, what the plugin may have done: a request that
is sent again is then done twice. *To act* says who can do something about it.

| to act | who that is |
| --- | --- |
${faults.join("\n")}

| code | number | retryable | work done | to act |
| --- | --- | --- | --- | --- |
${overview.join("\n")}

${sections.join("\n")}`;
}

function buildErrorsPage(): string {
  const sections = Object.values<BuildFault>(BUILD_FAULTS).map(({ title, said, cause, remedy, languages }) => {
    const rows = Object.entries(languages).map(([name, advice]) => `| ${name} | ${advice.cause} | ${advice.remedy} |`);
    const table = rows.length === 0 ? "" : `\n| language | cause | remedy |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
    const words = said.map((part) => `\`\`${part.trim().includes("`") ? ` ${part.trim()} ` : part.trim()}\`\``);
    return `## ${title}\n\nSaid: ${words.join(", ")}.\n\n${sentence(cause)} ${sentence(remedy)}\n${table}`;
  });
  return `# Errors of a build

<!-- Generated from src/component/build-faults.ts by scripts/generate-tables.ts; do not edit. -->

For authors of plugins: what \`network-host inspect\` or a replica's log says of a component that is refused, why, and what
to do about it. [component-rejected](errors.md#component-rejected) is said by the gate, which names the byte and the part of
the component; [compile-failed](errors.md#compile-failed) by the compiler, whose own words stand at the end. A part is
named by its number and, where it has one, by its name: \`main\` is what you have written, and what begins with
\`wit-component:\` was added when the component was made.

${sections.join("\n")}`;
}

/** The texts of the table are parts of a sentence. */
function sentence(part: string): string {
  return `${part.charAt(0).toUpperCase()}${part.slice(1)}.`;
}

function retryability(code: ErrorCode): string {
  const { retryable, retryableAfterOutage } = errorRow(code);
  if (retryableAfterOutage === true) return "after an outage of the store";
  return retryable ? "yes" : "no";
}

function limitTable(table: Readonly<Record<string, LimitRow>>, tests: Readonly<Record<string, LimitTest>>): string {
  const rows = Object.entries(table).map(([name, { unit, summary, enforcedIn, ...row }]) => {
    const values = [row.default, row.min, row.max].map((value) => showLimit(value, unit));
    return `| \`${name}\` | ${values.join(" | ")} | ${summary} | ${enforcedIn} | ${showTest(tests[name])} |`;
  });
  return `| limit | default | least | most | what it bounds | enforced in | test |\n| --- | --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}`;
}

function fixedTable(
  table: Readonly<Record<string, FixedLimitRow>>,
  tests: Readonly<Record<string, LimitTest>>,
): string {
  const rows = Object.entries(table).map(
    ([name, { value, unit, summary, enforcedIn }]) =>
      `| \`${name}\` | ${showLimit(value, unit)} | ${summary} | ${enforcedIn} | ${showTest(tests[name])} |`,
  );
  return `| limit | value | what it bounds | enforced in | test |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}`;
}

/** The test's file below test/; its sentence is checked by a test. */
function showTest(proof: LimitTest | undefined): string {
  return proof === undefined || proof === "none" ? "" : proof.file;
}

function showLimit(value: number, unit: LimitRow["unit"]): string {
  const text = showValue(value, unit);
  if (unit === "ms") return `${text} ms`;
  if (unit !== "bytes" || !/^[0-9]+$/.test(text)) return text;
  return text === "1" ? "1 byte" : `${text} bytes`;
}

function fillLimits(page: string): string {
  const tables = new Map(
    Object.entries({
      plugin: limitTable(PLUGIN_LIMITS, PLUGIN_LIMIT_TESTS),
      replica: limitTable(REPLICA_LIMITS, REPLICA_LIMIT_TESTS),
      fixed: fixedTable(FIXED_LIMIT_ROWS, FIXED_LIMIT_TESTS),
      component: fixedTable(COMPONENT_LIMIT_ROWS, COMPONENT_LIMIT_TESTS),
      guest: fixedTable(GUEST_LIMIT_ROWS, GUEST_LIMIT_TESTS),
    }),
  );
  return fillPage("docs/limits.md", page, (name) => tables.get(name));
}

/** Limits that authors meet, in the order of the page. */
const AUTHORS_LIMITS: Readonly<Record<string, readonly [LimitRow["unit"], number, string]>> = Object.fromEntries([
  ...[
    "deadlineMs",
    "memoryBytes",
    "runnerMemoryBytes",
    "payloadBytes",
    "replyBytes",
    "keyBytes",
    "valueBytes",
    "logBytes",
  ].map((name) => {
    const { unit, default: value, summary } = PLUGIN_LIMITS[name as keyof typeof PLUGIN_LIMITS];
    return [name, [unit, value, summary]] as const;
  }),
  ...[
    ...Object.entries(GUEST_LIMIT_ROWS),
    ...Object.entries(FIXED_LIMIT_ROWS).filter(([name]) => name.startsWith("log")),
  ].map(([name, { unit, value, summary }]) => [name, [unit, value, summary]] as const),
  [
    "componentBytes",
    [REPLICA_LIMITS.componentBytes.unit, REPLICA_LIMITS.componentBytes.default, REPLICA_LIMITS.componentBytes.summary],
  ],
]);

async function fillSurface(file: string, page: string): Promise<string> {
  const rows = Object.entries(AUTHORS_LIMITS).map(
    ([name, [unit, value, summary]]) => `| \`${name}\` | ${showLimit(value, unit)} | ${summary} |`,
  );
  const places = new Map([
    ["interfaces", interfaceTable()],
    ["features", featureTable()],
    ["absent-interfaces", await absentInterfaces()],
    ["authors-limits", `| limit | by default | what it bounds |\n| --- | --- | --- |\n${rows.join("\n")}`],
    ["suspendable-stack", `${SUSPENDABLE_STACK_KIB} KiB`],
  ]);
  return fillPage(file, page, (name) => places.get(name));
}

if (import.meta.main) await writeOrCheck(await generateTables(), "node scripts/generate-tables.ts");
