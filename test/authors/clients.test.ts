/**
 * docs/clients.md: the programs that it has, each from an empty folder against a real replica, and its table, cell by cell, against
 * plugins that answer what clients treat differently.
 */

import { join } from "node:path";
import { headers as createHeaders, connect, errors } from "nats";
import natsPackage from "nats/package.json" with { type: "json" };
import { afterAll, beforeAll, expect, test } from "vitest";
import { readProjectFile } from "../../scripts/generated-file.ts";
import { COMPONENTS, consumerFile } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { type OwnServer, startNatsServer } from "../harness/server.ts";
import { serveOddPlugins } from "./odd-plugins.ts";
import { stepsOf, tableAfter } from "./page.ts";
import { describeWith, type ToolchainName } from "./toolchains.ts";
import { createWorkplace, TOOLCHAINS, type Workplace } from "./workplace.ts";

const PAGE = "docs/clients.md";

/** What one asks a plugin of the page, with what a program prints for it. */
type Ask = (plugin: string) => Promise<string>;

/** A client of the table. */
interface Client {
  /** Its first cell, up to the version. */
  readonly name: string;
  readonly section: string;
  readonly before: string;
  readonly toolchains: readonly ToolchainName[];
  /** Asks a plugin, in the folder that the section has made. */
  readonly command: (plugin: string) => string;
}

const PROGRAMS: readonly Client[] = [
  {
    name: "nats.go",
    section: "Go",
    before: "Python",
    toolchains: ["go"],
    command: (plugin) => `cd call-go; go run . ${plugin} say hello`,
  },
  {
    name: "nats-py",
    section: "Python",
    before: "Rust",
    toolchains: ["python"],
    command: (plugin) => `cd call-python; .venv/bin/python call.py ${plugin} say hello`,
  },
  {
    name: "async-nats",
    section: "Rust",
    before: "Java",
    toolchains: ["cargo"],
    command: (plugin) => `cd call-rust; cargo run --quiet -- ${plugin} say hello`,
  },
  {
    name: "jnats",
    section: "Java",
    before: "The nats command",
    toolchains: ["java"],
    command: (plugin) => `cd call-java; java -cp 'lib/*' Call.java ${plugin} say hello`,
  },
];

/** The table's cells of a client, without the first. */
async function cellsOf(client: string): Promise<string[]> {
  const rows = tableAfter(await readProjectFile(PAGE), "What each client does");
  const row = rows.find(([name = ""]) => name.startsWith(`\`${client}\` `));
  if (row === undefined) throw new Error(`the table has no row for ${client}`);
  return row.slice(1).map((cell) => cell.replaceAll("`", ""));
}

/** The same cells by what a program prints. */
async function observed(ask: Ask): Promise<string[]> {
  const noneOrReply = (printed: string, reply: string): string => {
    if (printed === "error no-responders") return "no responders";
    return printed === reply ? "reply" : `neither: ${printed}`;
  };
  const repeated = await ask("repeated");
  const blanks = await ask("blanks");
  const cased = await ask("cased");
  return [
    noneOrReply(await ask("nobody"), ""),
    noneOrReply(await ask("refusing"), "error overloaded: no place (retryable: true)"),
    noneOrReply(await ask("status503"), "205 x"),
    { "201 x": "first", "202 x": "last" }[repeated] ?? repeated,
    blanks === "203 x" ? "removed" : /^203\s+x$/.test(blanks) ? "kept" : blanks,
    cased === "204 x" ? "found" : /^(?:|None|null) x$/.test(cased) ? "not found" : cased,
  ];
}

let server: OwnServer;
let odd: AsyncDisposable;
let replica: Replica;

beforeAll(async () => {
  server = await startNatsServer();
  odd = await serveOddPlugins(server.url);
  replica = await startReplica({
    natsUrl: server.url,
    consumer: consumerFile({ group: "clients", plugins: { echo: COMPONENTS.echo } }),
    policies: {},
  });
});

afterAll(async () => {
  await replica?.[Symbol.asyncDispose]();
  await odd?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** What is built and fetched is kept from run to run. */
const BIN = join(TOOLCHAINS, "clients", "bin");

function openWorkplace(): Promise<Workplace> {
  const env = { NATS_URL: server.url, GOBIN: BIN, CARGO_TARGET_DIR: join(TOOLCHAINS, "clients", "rust") };
  return createWorkplace({ env, path: BIN, command: "sources" });
}

test("the table is true of the client for Node", async () => {
  const connection = await connect({ servers: server.url });
  const ask: Ask = async (plugin) => {
    try {
      const reply = await connection.request(`rpc.${plugin}`, "hello", { timeout: 60_000, headers: createHeaders() });
      const header = (name: string): string => reply.headers?.get(name) ?? "";
      if (header("Rpc-Error") === "") return `${header("Rpc-Status")} ${reply.string()}`;
      return `error ${header("Rpc-Error")}: ${header("Nats-Service-Error")} (retryable: ${header("Rpc-Retryable")})`;
    } catch (error) {
      return error instanceof errors.RequestError && error.isNoResponders() ? "error no-responders" : String(error);
    }
  };
  try {
    expect(await observed(ask)).toEqual(await cellsOf("@nats-io/transport-node"));
  } finally {
    await connection.close();
  }
});

test("the table names the versions that the page's commands install, and this project's", async () => {
  const page = await readProjectFile(PAGE);
  const installs = stepsOf(page).flatMap((step) => (step.kind === "commands" ? step.text.split("\n") : []));
  installs.push(`@nats-io/transport-node@${natsPackage.version}`);
  const rows = tableAfter(page, "What each client does");
  expect(rows).toHaveLength(PROGRAMS.length + 2);
  for (const [cell = ""] of rows) {
    const [, name = "", said = ""] = /^`(?:@nats-io\/)?([\w.-]+)` ([\d.]+)/.exec(cell) ?? [];
    expect(installs.filter((line) => new RegExp(`${name}\\S*(?:@v?|==|:)${said}\\b`).test(line))).toHaveLength(1);
  }
});

if (process.env["AUTHORS"] === "1") {
  for (const { name, section, before, toolchains, command } of PROGRAMS) {
    await describeWith(toolchains, `the page's program in ${section}`, () => {
      test("comes from an empty folder to what the page says, and does what the table says", async () => {
        await using workplace = await openWorkplace();
        await workplace.follow("docs/clients.md", { from: section, before });
        const ask: Ask = async (plugin) => (await workplace.sh(command(plugin))).replace(/\n$/, "");
        expect(await observed(ask)).toEqual(await cellsOf(name));
        expect(await ask("silent")).toBe("error deadline-exceeded");
      });
    });
  }

  await describeWith(["go"], "the nats command", () => {
    test("is installed and asks as the page says, and does what the table says", async () => {
      await using workplace = await openWorkplace();
      await workplace.follow("docs/clients.md", { from: "The nats command", before: "What each client does" });
      const ask = async (plugin: string): Promise<string> => workplace.sh(`nats request rpc.${plugin}.say hello`);
      const noneOrReply = async (plugin: string, reply: string): Promise<string> => {
        const printed = await ask(plugin);
        if (printed.includes("No responders are available")) return "no responders";
        return printed.includes(reply) ? "reply" : printed;
      };
      const repeated = await ask("repeated");
      const blanks = await ask("blanks");
      expect([
        await noneOrReply("nobody", ""),
        await noneOrReply("refusing", "Nats-Service-Error: no place"),
        await noneOrReply("status503", "Rpc-Status: 205"),
        ["201", "202"].every((status) => repeated.includes(`Rpc-Status: ${status}`)) ? "all" : repeated,
        /Rpc-Status: 203[ \t]+$/m.test(blanks) ? "kept" : "removed",
        /rpc-status: 204/.test(await ask("cased")) ? "found" : "not found",
      ]).toEqual(await cellsOf("nats"));
    });
  });
}
