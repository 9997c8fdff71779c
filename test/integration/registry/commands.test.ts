import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../../src/contract/digest.ts";
import { createCertificate } from "../../harness/certificate.ts";
import { COMPONENTS, projectFile } from "../../harness/plugins.ts";
import { LOGIN, type OwnRegistry, type RegistryOptions, startRegistry } from "../../harness/registry.ts";
import { IDENTITY_AUTH, startTokenServer } from "../../harness/token-server.ts";
import { run } from "../../unit/cli/run.ts";

const CONTRACT = projectFile("schemas/network-host.wasm");
const BASIC_AUTH = { auth: Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString("base64") };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "registry-commands-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs a command with this registry's settings, as a user whose Docker configuration is `auths`. */
async function command(registry: OwnRegistry, args: readonly string[], auths: object = {}, env = {}) {
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths }));
  return await run(args, { env: { DOCKER_CONFIG: folder, REGISTRY_PLAIN_HTTP: registry.host, ...env } });
}

test("a component is pushed, listed and pulled as it was; the manifest is another one each time, its own digest the same", async () => {
  await using registry = await startRegistry();
  const repository = `oci://${registry.host}/plugins/echo`;
  const own = `sha256:${digestOf(await readFile(COMPONENTS.echo))}`;
  const first = await command(registry, ["push", COMPONENTS.echo, `${repository}:1.0.0`, "--json"]);
  const second = await command(registry, ["push", COMPONENTS.echo, `${repository}:1.0.1`, "--json"]);
  const [one, two] = [first, second].map(({ stdout }) => JSON.parse(stdout) as Record<string, string>);
  expect([one?.["component"], two?.["component"]]).toEqual([own, own]);
  expect(one?.["manifest"]).not.toBe(two?.["manifest"]);
  expect(await command(registry, ["tags", repository])).toMatchObject({ code: 0, stdout: "1.0.0\n1.0.1\n" });
  for (const reference of [`${repository}:1.0.1`, one?.["reference"] ?? ""]) {
    const output = join(folder, "pulled.wasm");
    expect(await command(registry, ["pull", reference, "-o", output])).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(output)).toEqual(await readFile(COMPONENTS.echo));
  }
  expect((await readdir(folder)).toSorted(), "nothing unfinished is left").toEqual(["config.json", "pulled.wasm"]);
});

test("the contract is pushed as a WIT package, with annotations", async () => {
  await using registry = await startRegistry();
  const reference = `oci://${registry.host}/wit/local/network-host:1.0.0`;
  const args = ["push", "--wit", reference, "--annotation", "org.example.team=plugins"];
  expect(await command(registry, args)).toMatchObject({ code: 0, stderr: "" });
  const output = join(folder, "contract.wasm");
  expect(await command(registry, ["pull", reference, "-o", output])).toMatchObject({ code: 0 });
  expect(await readFile(output)).toEqual(await readFile(CONTRACT));
  const answer = await fetch(`http://${registry.host}/v2/wit/local/network-host/manifests/1.0.0`, {
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  expect(await answer.json()).toMatchObject({
    config: { mediaType: "application/vnd.wasm.config.v0+json" },
    layers: [{ mediaType: "application/wasm", annotations: { "org.opencontainers.image.title": "network-host.wasm" } }],
    annotations: { "org.opencontainers.image.version": "1.0.0", "org.example.team": "plugins" },
  });
});

test.each([
  [["push", COMPONENTS.echo, "oci://HOST/Echo:1"], 2, "not the name of a repository"],
  [["push", COMPONENTS.echo, `oci://HOST/echo@sha256:${"a".repeat(64)}`], 2, "push to a tag"],
  [["push", projectFile("package.json"), "oci://HOST/echo:1"], 2, "preamble of a component"],
  [["push", COMPONENTS.echo, "oci://HOST/echo:1", "--annotation", "x"], 2, "key=value"],
  [["pull", "oci://HOST/echo:1"], 3, "registry-not-found"],
  [["tags", "oci://HOST/echo"], 3, "registry-not-found"],
  [["tags", "oci://HOST/echo:1"], 2, "leave out the tag"],
] as const)("%s ends with %i", async (args, code, message) => {
  await using registry = await startRegistry();
  const ended = await command(
    registry,
    args.map((arg) => arg.replace("HOST", registry.host)),
  );
  expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
});

describe("a registry that asks who one is", () => {
  /** Pushes and pulls with these credentials. */
  async function passes(options: RegistryOptions, auths: (host: string) => object): Promise<void> {
    await using registry = await startRegistry(options);
    const reference = `oci://${registry.host}/plugins/echo:1`;
    const env =
      options.certificate === undefined ? {} : { REGISTRY_PLAIN_HTTP: "", REGISTRY_CA: join(folder, "ca.pem") };
    if (options.certificate !== undefined) await writeFile(join(folder, "ca.pem"), options.certificate.cert);
    for (const args of [
      ["push", COMPONENTS.echo, reference],
      ["pull", reference, "-o", join(folder, "pulled.wasm")],
      ["tags", `oci://${registry.host}/plugins/echo`],
    ])
      expect(await command(registry, args, auths(registry.host), env)).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(join(folder, "pulled.wasm"))).toEqual(await readFile(COMPONENTS.echo));
    const stranger = await command(registry, ["pull", reference], {}, env);
    expect(stranger).toMatchObject({ code: 3, stderr: expect.stringContaining("registry-denied") });
    const wrong = { [registry.host]: { auth: Buffer.from("reader:wrong-password").toString("base64") } };
    const refused = await command(registry, ["pull", reference], wrong, env);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("registry-denied") });
    expect(refused.stderr).not.toContain("wrong-password");
  }

  test("by a password gets the one of Docker's configuration", async () => {
    await passes({ login: "basic" }, (host) => ({ [host]: BASIC_AUTH }));
  });

  test("by a password, over TLS with a private authority", async () => {
    const certificate = createCertificate(["127.0.0.1"]);
    await passes({ login: "basic", certificate }, (host) => ({ [host]: BASIC_AUTH }));
  });

  test.each([
    ["a password", BASIC_AUTH],
    ["an identity token", IDENTITY_AUTH],
  ])("by a token of another server gets one for %s, and no more than it needs", async (_, auth) => {
    const certificate = createCertificate(["tokens.test"]);
    await using tokens = await startTokenServer(certificate);
    await using registry = await startRegistry({ tokens: { realm: `http://${tokens.authority}/token`, certificate } });
    const env = { REGISTRY_PLAIN_HTTP: `${registry.host},${tokens.authority}` };
    const reference = `oci://${registry.host}/plugins/echo:1`;
    const auths = { [registry.host]: auth };
    expect(await command(registry, ["push", COMPONENTS.echo, reference], auths, env)).toMatchObject({ code: 0 });
    expect(tokens.asked).toEqual(["repository:plugins/echo:pull,push known"]);
    const output = join(folder, "pulled.wasm");
    expect(await command(registry, ["pull", reference, "-o", output], auths, env)).toMatchObject({ code: 0 });
    expect(tokens.asked.slice(1)).toEqual(["repository:plugins/echo:pull known"]);
    const stranger = await command(registry, ["pull", reference], {}, env);
    expect(stranger).toMatchObject({ code: 3, stderr: expect.stringContaining("registry-denied") });
  });
});
