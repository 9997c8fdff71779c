/**
 * `network-host push`: puts a component, or the contract as a WIT package, into a registry, as `wkg` and `oras` read it.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { HostError } from "../errors/host-error.ts";
import type { OciReference } from "../oci/reference.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseReferenceArgument, parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
The reference is oci://<host>/<repository>:<tag>. Credentials are Docker's: log in with "docker login" or "oras login".
What is printed names the manifest, which is another one with each push and is what "sign" takes, and the component's own
digest, which is what logs and a policy's "digest" name.

Examples:
  $ network-host push echo.wasm oci://registry.example.com/plugins/echo:1.0.0
  $ network-host push --wit oci://registry.example.com/wit/local/network-host:1.0.0    for "wkg get local:network-host"
  $ network-host push echo.wasm oci://localhost:5000/echo:1 --registry-plain-http localhost:5000

Exit codes: 0 pushed; 1 refused; 2 wrong usage, or a file that cannot be read or is not a component; 3 the registry cannot be
used now, or not with these credentials. See docs/registry.md.`;

/** The command. `done` takes its exit code. */
export function createPushCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("push")
    .summary("put a component into a registry")
    .description("Puts a component, or the contract as a WIT package, into an OCI registry.")
    .argument("[component]", "the component's file; none with --wit")
    .argument("[reference]", "where to: oci://<host>/<repository>:<tag>")
    .option("--wit", "push the contract that plugins are built against, as a WIT package")
    .option("--author <name>", "the author that the artifact names")
    .option("--annotation <key=value>", "an annotation of the manifest; may be repeated", collect, [])
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (first: string | undefined, second: string | undefined, flags: Flags) => {
    done(await push([first, second], flags, terminal));
  });
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

type Arguments = readonly [string | undefined, string | undefined];

async function push(given: Arguments, flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const isWit = flags["wit"] === true;
  const [file, reference] = readArguments(given, isWit);
  const access = parseRegistryAccess(flags, terminal.env);
  const annotations = parseAnnotations(flags["annotation"] as readonly string[]);
  // Loaded here, so that the other commands start without them.
  const [{ describeComponentFile, describeContract }, { openOciClient }, { pushComponent }, { programUserAgent }] =
    await Promise.all([
      import("./pushed-file.ts"),
      import("../oci/registry-access.ts"),
      import("../oci/component-push.ts"),
      import("./user-agent.ts"),
    ]);
  const described = file === undefined ? await describeContract() : await describeComponentFile(file);
  const author = flags["author"];
  const component = {
    title: described.title ?? basename(described.path),
    content: { ...described, open: () => createReadStream(described.path) },
    imports: described.imports,
    exports: described.exports,
    annotations: { ...described.annotations, ...annotations },
    created: new Date(),
    ...(typeof author === "string" && { author }),
  };
  await using client = await openOciClient(access, programUserAgent());
  const { manifest } = await pushComponent(client, reference, component);
  const { host, repository, tag } = reference;
  const pinned = `oci://${host}/${repository}@sha256:${manifest}`;
  if (flags["json"] === true) {
    const value = { reference: pinned, tag, manifest: `sha256:${manifest}`, component: `sha256:${described.digest}` };
    await write(terminal.stdout, `${JSON.stringify(value)}\n`);
  } else await write(terminal.stdout, `${pinned}\ncomponent sha256:${described.digest}\n`);
  return EXIT.ok;
}

function readArguments([first, second]: Arguments, isWit: boolean): [string | undefined, OciReference] {
  const [file, target] = isWit ? [undefined, first] : [first, second];
  if (target === undefined || (isWit && second !== undefined)) {
    const wanted = isWit ? "push --wit <reference>" : "push <component> <reference>";
    throw new HostError("usage-invalid", `write network-host ${wanted}; see --help`);
  }
  const reference = parseReferenceArgument(target);
  if (reference.tag === undefined || reference.digest !== undefined)
    throw new HostError("usage-invalid", "push to a tag, without a digest: what is pushed makes the digest");
  return [file === undefined ? undefined : parsePath({ text: file, source: "<component>" }), reference];
}

function parseAnnotations(texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text): [string, string] => {
    const at = text.indexOf("=");
    if (at < 1) throw new HostError("usage-invalid", "--annotation: write key=value");
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}
