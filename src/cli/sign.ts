/**
 * `network-host sign`: signs a component in a registry with a private key, as `cosign sign --key` does.
 *
 * @module
 */

import { Command } from "commander";
import { digestOf } from "../contract/digest.ts";
import { REPLICA_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError } from "../errors/host-error.ts";
import type { OciReference } from "../oci/reference.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseReferenceArgument, parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, parsePath, settingOption } from "./settings.ts";
import { styled, type Terminal, write } from "./terminal.ts";

const HELP = `
Sign what push printed, by its digest. A tag stands for whatever the registry says now, and whoever may push there can make it stand
for something else; if you have only a tag, --component makes sure of the component. The signature is stored beside the component,
where "cosign verify --key <public key> --insecure-ignore-tlog=true" finds it. Nothing is written to a transparency log.

The key is PEM: ECDSA on P-256 or RSA. The password of an encrypted one is in SIGNING_KEY_PASSWORD or in the file that
SIGNING_KEY_PASSWORD_FILE names. To make a key pair:
  $ openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -out signing.pem
  $ openssl pkey -in signing.pem -pubout -out signing.pub

Examples:
  $ network-host sign oci://registry.example.com/plugins/echo@sha256:6e04… --key signing.pem --component echo.wasm
  $ network-host sign "$(network-host push echo.wasm oci://registry.example.com/plugins/echo:1.0.0 | head -1)" --key signing.pem

Exit codes: 0 signed; 1 it is not a component or not that of --component, or the key cannot sign; 2 wrong usage, or a file that
cannot be read; 3 the registry cannot be used now, has no such component, or does not let you. See docs/signing.md.`;

/** The command. `done` takes its exit code. */
export function createSignCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("sign")
    .summary("sign a component in a registry")
    .description("Signs a component in an OCI registry with a private key.")
    .argument("<reference>", "oci://<host>/<repository>@sha256:<digest>, as push printed it; or …:<tag>")
    .requiredOption("--key <file>", "the private key, in PEM")
    .option("--component <file>", "sign only if the component is this file, byte for byte")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (reference: string, flags: Flags) => {
    done(await sign(parseReferenceArgument(reference), flags, terminal));
  });
}

async function sign(reference: OciReference, flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const { env, stdout } = terminal;
  const access = parseRegistryAccess(flags, env);
  // Loaded here, so that the other commands start without them.
  const [
    { openOciClient },
    { componentLayer, parseManifest },
    { pushSignature },
    { createBundle },
    { readSigningKey },
    { programUserAgent },
  ] = await Promise.all([
    import("../oci/registry-access.ts"),
    import("../oci/manifest.ts"),
    import("../oci/signature-push.ts"),
    import("../signatures/bundle.ts"),
    import("./signing-files.ts"),
    import("./user-agent.ts"),
  ]);
  const key = readSigningKey(String(flags["key"]), env);
  const expected = await readExpected(flags);
  await using client = await openOciClient(access, programUserAgent());
  const { bytes, digest, mediaType } = await client.fetchManifest(reference);
  const layer = componentLayer(parseManifest(bytes));
  if (expected !== undefined && expected.digest !== layer.digest) throw differs(reference, layer.digest, expected);
  if (reference.digest === undefined) await warnOfTag(digest, terminal);
  const subject = { digest, size: bytes.length, mediaType };
  const signature = await pushSignature(client, reference, {
    subject,
    bundle: createBundle(digest, key),
    created: new Date(),
  });
  const { host, repository } = reference;
  const facts = {
    reference: `oci://${host}/${repository}@sha256:${digest}`,
    component: `sha256:${layer.digest}`,
    signature: `sha256:${signature}`,
    key: `sha256:${key.public.id}`,
  };
  if (flags["json"] === true) await write(stdout, `${JSON.stringify(facts)}\n`);
  else
    await write(
      stdout,
      `${facts.reference}\ncomponent ${facts.component}\nsigned by the key ${facts.key}\nsignature ${facts.signature}\n`,
    );
  return EXIT.ok;
}

/** The component that is to be signed, where a file of it is given. */
interface ExpectedComponent {
  readonly path: string;
  readonly digest: Digest;
}

async function readExpected(flags: Flags): Promise<ExpectedComponent | undefined> {
  const text = flags["component"];
  if (typeof text !== "string") return undefined;
  const path = parsePath({ text, source: "--component" });
  const { readComponentFile } = await import("../registry/plugin-source.ts");
  return { path, digest: digestOf(await readComponentFile(path, REPLICA_LIMITS.componentBytes.max)) };
}

function differs({ host, repository }: OciReference, found: Digest, expected: ExpectedComponent): HostError {
  return new HostError(
    "component-differs",
    `the component in oci://${host}/${repository} is sha256:${found}, and ${expected.path} is sha256:${expected.digest}: ` +
      "nothing was signed. Push the file, and sign the reference that push prints",
  );
}

/** Whoever may push, and the registry itself, decide what a tag stands for. */
async function warnOfTag(digest: Digest, { stderr }: Terminal): Promise<void> {
  const text = `the reference has no digest: what its tag stands for now is signed, sha256:${digest}. Name the digest that push printed`;
  await write(stderr, `${styled(stderr, "warning", "warning:")} ${text}\n`);
}
