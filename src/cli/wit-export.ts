/**
 * Writes the contract into a folder of its own: a repository that plugin projects have as a submodule.
 *
 * Only `wit/` is ever replaced, whole, and only where it is a contract; a README and the licence are written where there
 * are none. Nothing else in the folder is touched.
 *
 * @module
 */

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkedWorld } from "../contract/linked-world.ts";
import { HostError } from "../errors/host-error.ts";
import { readWitFiles } from "./wit-files.ts";

/** Name and version of the contract's package. */
export const CONTRACT_PACKAGE = "local:network-host@1.0.0";

/** Where the second world is, below `wit/`. Tools that read `wit/` look at its own files and `deps/` alone. */
const LINKED_FILE = "linked/plugin.wit";

const README = `# ${CONTRACT_PACKAGE}

The contract of network-host's plugins, in WIT, as \`network-host wit export\` has written it. Do not change it by hand.

\`\`\`console
git submodule add <this repository> wit-api      # in a plugin's project
git -C wit-api checkout v1.0.0                   # the version to build against
\`\`\`

| path         | what it is                                                                          |
| ------------ | ----------------------------------------------------------------------------------- |
| \`wit/\`       | the contract: build against its world \`network-plugin\`                              |
| \`wit/deps/\`  | WASI 0.2.0, which the contract refers to                                            |
| \`wit/linked\` | all that a host links: \`wasm-tools component targets wit-api/wit/linked plugin.wasm\` |

The contract is frozen: a tag \`v1.0.x\` adds to the comments, the README and \`wit/linked\` alone.
`;

/** What was written. */
export interface WitExport {
  readonly files: number;
  /** Was there a contract before? */
  readonly replaced: boolean;
}

/** @throws HostError `usage-invalid` where the folder is something else, `output-failed` where it cannot be written. */
export async function exportWit(folder: string): Promise<WitExport> {
  const files = await readWitFiles();
  const replaced = await holdsContract(folder);
  const whole = new Map([...files, [LINKED_FILE, linkedWorld(files)]]);
  const license = await readFile(fileURLToPath(new URL("../../LICENSE", import.meta.url)), "utf8");
  const made = join(folder, `.wit-${process.pid}`);
  try {
    // Its parent must exist: where a file system takes no folders, Node would try for ever to make all of them.
    await mkdir(folder).catch(ignoreCode("EEXIST"));
    for (const [path, text] of whole) await writeWhole(join(made, path), text);
    // For a moment there is none; never half of one.
    await rm(join(folder, "wit"), { recursive: true, force: true });
    await rename(made, join(folder, "wit"));
    await writeUnlessThere(join(folder, "README.md"), README);
    await writeUnlessThere(join(folder, "LICENSE"), license);
  } catch (error) {
    await rm(made, { recursive: true, force: true }).catch(() => undefined);
    throw new HostError("output-failed", `${folder} could not be written: ${messageOf(error)}`, { cause: error });
  }
  return { files: whole.size, replaced };
}

/** Is there a contract in the folder, or nothing that a repository of one does not have? */
async function holdsContract(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(absent);
  if (names === undefined) return false;
  if (!names.includes("wit")) {
    const other = names.find((name) => !isOfRepository(name));
    if (other !== undefined) throw notAContract(`${folder} holds ${other} and no contract`);
    return false;
  }
  const wit = join(folder, "wit");
  const world = await readFile(join(wit, "world.wit"), "utf8").catch(absent);
  if (world?.startsWith("package local:network-host@") === true) return true;
  throw notAContract(`${wit} is there and holds something else than this contract`);
}

function isOfRepository(name: string): boolean {
  return name.startsWith(".git") || ["README.md", "LICENSE"].includes(name);
}

function notAContract(what: string): HostError {
  return new HostError("usage-invalid", `${what}; name an empty folder, a new one, or one of an earlier export`);
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function writeUnlessThere(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: "wx" }).catch(ignoreCode("EEXIST"));
}

function absent(error: unknown): undefined {
  if (!isCode(error, "ENOENT")) throw notAContract(messageOf(error));
}

function ignoreCode(code: string): (error: unknown) => void {
  return (error) => {
    if (!isCode(error, code)) throw error;
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
