/**
 * The world of all that the host links, as one WIT document: the contract's interfaces, and every interface of WASI 0.2 in
 * every release that toolchains build against. `wasm-tools component targets` compares imports by their exact names, so
 * the contract's own world, which names 0.2.0 alone, says no to components that work.
 *
 * Pure: takes the texts of the contract's folder and gives that of the document.
 *
 * @module
 */

/** Releases of WASI 0.2 that the world names. The host links later ones, too: they only add to each other. */
const LAST_RELEASE = 12;

const LINKED_PACKAGE = "network-host:linked@1.0.0";

/** A function that a release of WASI 0.2 after 0.2.0 added to an interface. */
interface LaterFunction {
  readonly file: string;
  /** Text in the file that the addition goes before. */
  readonly before: string;
  readonly add: string;
}

/** What toolchains of later 0.2 releases import and 0.2.0 does not have. Nothing was removed or changed since. */
const LATER_FUNCTIONS: readonly LaterFunction[] = [
  {
    file: "deps/cli/exit.wit",
    before: "  /// Exit the current instance",
    add: "  exit-with-code: func(status-code: u8);\n",
  },
  {
    file: "deps/sockets/network.wit",
    before: "    /// An opaque resource that represents access",
    add: "    use wasi:io/error@0.2.0.{error};\n    network-error-code: func(err: borrow<error>) -> option<error-code>;\n",
  },
];

/** The texts of `wit/` with what later releases of WASI 0.2 added. */
export function withLaterFunctions(files: ReadonlyMap<string, string>): Map<string, string> {
  const result = new Map(files);
  for (const { file, before, add } of LATER_FUNCTIONS) {
    const text = result.get(file);
    if (text === undefined || !text.includes(before)) throw new Error(`${file} has no line ${before}`);
    result.set(file, text.replace(before, add + before));
  }
  return result;
}

/**
 * @param files path below `wit/` → its text
 * @returns the document, with the world `plugin` in its first package
 */
export function linkedWorld(files: ReadonlyMap<string, string>): string {
  const contract = packageOf(files, /^[^/]+\.wit$/);
  const later = withLaterFunctions(files);
  const names = [...new Set([...files.keys()].flatMap((file) => /^deps\/([^/]+)\/.*\.wit$/.exec(file)?.[1] ?? []))];
  const wasi = names.map((name) => packageOf(later, new RegExp(`^deps/${name}/.*\\.wit$`)));
  const releases = Array.from({ length: LAST_RELEASE + 1 }, (_, patch) => `0.2.${patch}`);
  const imports = [
    ...contract.interfaces.filter((name) => name !== "handler").map((name) => nameIn(contract.name, name)),
    ...releases.flatMap((release) =>
      wasi.flatMap(({ name, interfaces }) =>
        interfaces.filter(isImported).map((one) => atRelease(nameIn(name, one), release)),
      ),
    ),
  ];
  return `package ${LINKED_PACKAGE};

/// All that network-host links, and what it calls. Is a component one of its plugins?
/// \`wasm-tools component targets\` says so, given this file's folder.
world plugin {
${imports.map((name) => `  import ${name};`).join("\n")}

  export ${nameIn(contract.name, "handler")};
}
${[
  contract,
  ...releases.flatMap((release) =>
    wasi.map(({ name, body, interfaces }) => ({
      name: atRelease(name, release),
      body: atRelease(body, release),
      interfaces,
    })),
  ),
]
  .map(({ name, body }) => `\npackage ${name} {\n${body}}\n`)
  .join("")}`;
}

/** What WASI has others export: nothing that a plugin could import. */
function isImported(name: string): boolean {
  return name !== "incoming-handler" && name !== "run";
}

interface WitPackage {
  /** With its version. */
  readonly name: string;
  readonly interfaces: readonly string[];
  /** Its interfaces, without worlds and comments. */
  readonly body: string;
}

function packageOf(files: ReadonlyMap<string, string>, pattern: RegExp): WitPackage {
  const texts = [...files].filter(([file]) => pattern.test(file)).map(([, text]) => text);
  const name = texts.map((text) => /^package ([^;]+);/m.exec(text)?.[1]).find((found) => found !== undefined);
  if (name === undefined) throw new Error(`no file names the package of ${pattern.source}`);
  const body = texts.map(bareInterfaces).join("");
  return { name, interfaces: [...body.matchAll(/^interface ([\w-]+) \{/gm)].map(([, found = ""]) => found), body };
}

/** The text's interfaces alone. */
function bareInterfaces(text: string): string {
  return text
    .replaceAll(/^\s*\/\/.*\n/gm, "")
    .replaceAll(/^package .*\n/gm, "")
    .replaceAll(/^world [\w-]+ \{\n(?:(?!\}).*\n)*\}\n?/gm, "")
    .replaceAll(/^\s*\n/gm, "");
}

function nameIn(packageName: string, interfaceName: string): string {
  return packageName.replace("@", `/${interfaceName}@`);
}

function atRelease(text: string, release: string): string {
  return text.replaceAll("@0.2.0", `@${release}`);
}
