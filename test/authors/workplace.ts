/**
 * Does what a page says as a new author does: an empty folder, the page's files, its commands in their order, and what
 * they print. `page.ts` says how a page is written.
 *
 * A folder that a command goes to (`cd`) is where the page's next files and commands are. A server runs on until the page is
 * through. Packages come from archives of this checkout, where authors have them from registries.
 *
 * @module
 */

import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { inject } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { packCommand, USERS_PATH } from "./packed-command.ts";
import { printsAsSaid, type Step, stepsOf } from "./page.ts";
import { isServer, serveFolder, serveHttp, serveNats } from "./served-folder.ts";

/** The port of HTTP servers on pages. */
const PAGES_PORT = "8080";

const COMMANDS_TIMEOUT_MS = 15 * 60_000;

/** Where toolchains of authors are installed by the packages' own means. Git ignores it. */
export const TOOLCHAINS: string = process.env["NETWORK_PLUGIN_CACHE"] ?? join(ROOT, ".cache", "authors");

/** What an author's folder is made with. */
export interface WorkplaceOptions {
  /** An existing folder that it is made in, rather than the machine's for temporary files. */
  readonly within?: string;
  /** A folder at the end of `PATH`. */
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** npm packages that are installed from archives or folders: name → path. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Commands of pages, whole lines, in whose place others are run. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Where `network-host` comes from; packing takes a minute, which pages that do not install it need not wait for. */
  readonly command?: "packed" | "sources";
  /** Which Node is first on `PATH`: the project's, or the one that this machine has for its users. */
  readonly node?: "project" | "machine";
}

/**
 * An empty folder of an author, with where NATS is. Dispose of it with `await using`.
 *
 * The command `network-host` that npm installs there is the packed one with AUTHORS=1, which takes a minute to pack and to
 * install, and else the sources of this checkout.
 */
export async function createWorkplace(options: WorkplaceOptions = {}): Promise<Workplace> {
  const home = await mkdtemp(join(options.within ?? tmpdir(), "author-"));
  await mkdir(join(home, "my-plugin"));
  const link = await linkCommand(home);
  const isPacked = process.env["AUTHORS"] === "1" && options.command !== "sources";
  const command = isPacked ? await packCommand(home) : link;
  return new Workplace(home, link, { ...options, packages: { "network-host": command, ...options.packages } });
}

export class Workplace implements AsyncDisposable {
  /** Where its author is. */
  readonly folder: string;
  /** Where the page is that it follows. */
  #cwd: string;
  readonly #home: string;
  readonly #env: Record<string, string>;
  readonly #options: WorkplaceOptions;
  readonly #servers = new AsyncDisposableStack();

  constructor(home: string, link: string, options: WorkplaceOptions) {
    const node = options.node === "machine" ? [] : [dirname(process.execPath)];
    const last = options.path === undefined ? [] : [options.path];
    this.#home = home;
    this.folder = join(home, "my-plugin");
    this.#cwd = this.folder;
    this.#options = options;
    this.#env = {
      PATH: [join(link, "bin"), ...node, USERS_PATH, ...last].join(delimiter),
      NETWORK_HOST: ROOT,
      NATS_URL: inject("natsUrl"),
      CACHE_DIR: inject("artifactCache"),
      // Other replicas of this machine are not the author's.
      CONTROL_DIR: join(home, "control"),
      SQLITE_PATH: join(home, "store.sqlite"),
      // Toolchains are kept from run to run.
      NETWORK_PLUGIN_CACHE: TOOLCHAINS,
      NO_COLOR: "1",
      ...options.env,
    };
  }

  /** Runs a shell's commands there. @returns what they printed, standard error included. Rejects when one fails. */
  async sh(commands: string): Promise<string> {
    return this.#run(`set -e\nexec 2>&1\n${commands}`);
  }

  /** The same where a failure is what is expected. */
  async fails(commands: string): Promise<string> {
    return this.#run(`exec 2>&1\nif ( ${commands} ); then echo "it did not fail"; fi`);
  }

  /**
   * Follows a page to its end, or a part of it, from where the last one left off. Rejects where something else comes out than
   * it says.
   */
  async follow(path: string, part: { readonly from?: string; readonly before?: string } = {}): Promise<void> {
    const page = partOf(await readFile(join(ROOT, path), "utf8"), part);
    // A port of the page's own may be taken here.
    const port = String(await freePort());
    for (const step of stepsOf(page.replaceAll(PAGES_PORT, port))) {
      if (step.kind === "file") await writeStep(this.#cwd, step);
      else await this.#follow(step);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers.disposeAsync();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }

  async #run(script: string, cwd: string = this.folder): Promise<string> {
    return run("bash", ["-c", script], { timeoutMs: COMMANDS_TIMEOUT_MS, cwd, env: this.#env });
  }

  async #follow({ text, prints }: Step & { kind: "commands" }): Promise<void> {
    const { commands, server } = splitServer(text);
    const where = join(this.#home, "where");
    const script = `set -e\nexec 2>&1\n${this.#asRun(commands)}\npwd >'${where}'`;
    const printed = await this.#run(script, this.#cwd);
    if (prints !== undefined && !printsAsSaid(printed, prints))
      throw new Error(`${text}printed\n${printed}\nand not\n${prints}`);
    this.#cwd = (await readFile(where, "utf8")).trim();
    if (server !== undefined) this.#servers.use(await this.#serve(server));
  }

  /** `npm install` of packages that are not in a registry yet takes their archives. */
  #asRun(commands: string): string {
    const { packages = {}, standIns = {} } = this.#options;
    return commands
      .split("\n")
      .map((line) => standIns[line] ?? line)
      .map((line) => (line.startsWith("npm install ") ? replaceWords(line, packages) : line))
      .join("\n");
  }

  async #serve(command: string): Promise<AsyncDisposable> {
    const terminal = { cwd: this.#cwd, env: this.#env };
    if (command.includes("http.server")) return serveHttp(command, terminal);
    if (!command.includes("nats-server")) return serveFolder(command, terminal);
    const port = await freePort();
    this.#env["NATS_URL"] = `nats://127.0.0.1:${port}`;
    return serveNats(command, port, terminal);
  }
}

/** The command of this checkout's sources, as a package that npm links. @returns its folder. */
async function linkCommand(home: string): Promise<string> {
  const folder = join(home, "network-host");
  await mkdir(join(folder, "bin"), { recursive: true });
  const command = join(folder, "bin/network-host");
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "src/main.ts")}" "$@"\n`);
  await chmod(command, 0o755);
  const manifest = { name: "network-host", version: "0.0.0", bin: { "network-host": "bin/network-host" } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  return folder;
}

async function writeStep(cwd: string, { path, how, text }: Step & { kind: "file" }): Promise<void> {
  await mkdir(dirname(join(cwd, path)), { recursive: true });
  await (how === "append" ? appendFile : writeFile)(join(cwd, path), text);
}

/** From a heading on, or until one. @throws where the page has no such heading. */
function partOf(page: string, { from, before }: { readonly from?: string; readonly before?: string }): string {
  const at = (heading: string | undefined, otherwise: number): number => {
    const found = heading === undefined ? otherwise : page.indexOf(`\n## ${heading}\n`);
    if (found === -1) throw new Error(`the page has no heading ${heading}`);
    return found;
  };
  return page.slice(at(from, 0), at(before, page.length));
}

/** A server is the last command of its block: what is after it could not be typed into the same terminal. */
function splitServer(text: string): { commands: string; server: string | undefined } {
  const lines = text.trimEnd().split("\n");
  const at = lines.findIndex(isServer);
  if (at === -1) return { commands: text, server: undefined };
  if (at !== lines.length - 1) throw new Error(`commands follow a server in its terminal:\n${text}`);
  return { commands: lines.slice(0, at).join("\n"), server: lines[at] };
}

function replaceWords(line: string, replacements: Readonly<Record<string, string>>): string {
  return line
    .split(" ")
    .map((word) => replacements[word] ?? word)
    .join(" ");
}
