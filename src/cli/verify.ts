/**
 * `network-host verify`: has one of these keys signed a component in a registry? The same check that a replica makes for a policy
 * with `signedBy`.
 *
 * @module
 */

import { Command } from "commander";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { OciReference } from "../oci/reference.ts";
import type { SearchResult } from "../oci/signature-search.ts";
import { printableText } from "../telemetry/plugin-text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseReferenceArgument, parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
Signatures by cosign and by "network-host sign" count, today's form and the one before. With several keys, one that has signed
suffices. No transparency log is asked.

Examples:
  $ network-host verify oci://registry.example.com/plugins/echo:1.0.0 --key signing.pub
  $ network-host verify oci://registry.example.com/plugins/echo@sha256:… --key old.pub --key new.pub

Exit codes: 0 signed by one of the keys; 1 not signed, or a key that cannot be used; 2 wrong usage, or a file that cannot be
read; 3 the registry cannot be used now, has no such component, or does not let you. See docs/signing.md.`;

/** The command. `done` takes its exit code. */
export function createVerifyCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("verify")
    .summary("check the signatures of a component in a registry")
    .description("Checks whether one of these keys has signed a component in an OCI registry.")
    .argument("<reference>", "oci://<host>/<repository>:<tag> or …@sha256:<digest>")
    .requiredOption("--key <file>", "a public key, in PEM; may be repeated", collect)
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (reference: string, flags: Flags) => {
    done(await verify(parseReferenceArgument(reference), flags, terminal));
  });
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** What was looked at. */
interface Verified extends SearchResult {
  readonly reference: string;
  readonly component: Digest;
}

async function verify(reference: OciReference, flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
  const access = parseRegistryAccess(flags, env);
  const files = flags["key"] as readonly string[];
  if (files.length > FIXED_LIMITS.signatureKeys)
    throw new HostError("usage-invalid", `${files.length} keys; at most ${FIXED_LIMITS.signatureKeys} may be given`);
  // Loaded here, so that the other commands start without them.
  const [{ openOciClient }, { resolveComponent }, { findSignatures }, { readVerificationKeys }, { programUserAgent }] =
    await Promise.all([
      import("../oci/registry-access.ts"),
      import("../oci/component-pull.ts"),
      import("../oci/signature-search.ts"),
      import("./signing-files.ts"),
      import("./user-agent.ts"),
    ]);
  const keys = readVerificationKeys(files);
  await using client = await openOciClient(access, programUserAgent());
  const { manifest, layer } = await resolveComponent(client, reference);
  const result = await findSignatures(client, { at: reference, manifest }, keys);
  const { host, repository } = reference;
  const verified = { ...result, reference: `oci://${host}/${repository}@sha256:${manifest}`, component: layer.digest };
  await write(stdout, flags["json"] === true ? `${JSON.stringify(toJson(verified))}\n` : toText(verified));
  return result.fitting.length > 0 ? EXIT.ok : EXIT.failed;
}

function toJson({ reference, component, fitting, flaws }: Verified): Record<string, unknown> {
  const signatures = fitting.map(({ by, place }) => ({ key: `sha256:${by}`, place }));
  return { reference, component: `sha256:${component}`, signed: fitting.length > 0, signatures, passedOver: flaws };
}

function toText({ reference, component, fitting, flaws }: Verified): string {
  const lines = [reference, `component sha256:${component}`];
  for (const { by, place } of fitting) lines.push(`signed by the key sha256:${by} (${place})`);
  if (fitting.length === 0) lines.push("not signed by any of the keys");
  for (const flaw of flaws) lines.push(`passed over: ${flaw}`);
  return lines.map((line) => `${printableText(line)}\n`).join("");
}
