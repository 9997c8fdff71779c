/**
 * `network-host sign`: signs a component in a registry with a private key, as `cosign sign --key` does.
 *
 * @module
 */

import { Command } from "commander";
import type { OciReference } from "../oci/reference.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { parseReferenceArgument, parseRegistryAccess, REGISTRY_SETTINGS } from "./registry-settings.ts";
import { type Flags, settingOption } from "./settings.ts";
import { type Terminal, write } from "./terminal.ts";

const HELP = `
The signature is stored beside the component, where "cosign verify --key <public key> --insecure-ignore-tlog=true" finds it. A tag
is resolved first: what is signed is the manifest's digest, which is printed. Nothing is written to a transparency log.

The key is PEM: ECDSA on P-256 or RSA. The password of an encrypted one is in SIGNING_KEY_PASSWORD or in the file that
SIGNING_KEY_PASSWORD_FILE names. To make a key pair:
  $ openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -out signing.pem
  $ openssl pkey -in signing.pem -pubout -out signing.pub

Example:
  $ network-host sign oci://registry.example.com/plugins/echo:1.0.0 --key signing.pem

Exit codes: 0 signed; 1 it is not a component, or the key cannot sign; 2 wrong usage, or a file that cannot be read; 3 the
registry cannot be used now, has no such component, or does not let you. See docs/signing.md.`;

/** The command. `done` takes its exit code. */
export function createSignCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command("sign")
    .summary("sign a component in a registry")
    .description("Signs a component in an OCI registry with a private key.")
    .argument("<reference>", "oci://<host>/<repository>:<tag> or …@sha256:<digest>")
    .requiredOption("--key <file>", "the private key, in PEM")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP);
  for (const setting of REGISTRY_SETTINGS) command.addOption(settingOption(setting));
  return command.action(async (reference: string, flags: Flags) => {
    done(await sign(parseReferenceArgument(reference), flags, terminal));
  });
}

async function sign(reference: OciReference, flags: Flags, { env, stdout }: Terminal): Promise<ExitCode> {
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
  await using client = await openOciClient(access, programUserAgent());
  const { bytes, digest, mediaType } = await client.fetchManifest(reference);
  const layer = componentLayer(parseManifest(bytes));
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
