/**
 * With AUTHORS=1: what `push` writes, wkg and oras read, and the other way round. Without it, what both wrote when that was last
 * recorded is read.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run as runTool } from "../../scripts/lib/command.ts";
import { obtainOras, obtainWkg } from "../../scripts/toolchains/registry-tools.ts";
import { digestOf } from "../../src/contract/digest.ts";
import { componentLayer, parseManifest } from "../../src/oci/manifest.ts";
import { COMPONENTS, projectFile } from "../harness/plugins.ts";
import { startRegistry } from "../harness/registry.ts";
import { run } from "../unit/cli/run.ts";

const CONTRACT = projectFile("schemas/network-host.wasm");
const TOOL_TIMEOUT_MS = 60_000;
const LIMIT_MS = 70 * 60_000;

/** Manifests as wkg 0.16.1 and oras 1.3.6 wrote them. */
const RECORDED = {
  "wkg oci push":
    '{"config":{"digest":"sha256:136db734c8a6b20a7cb56e41042840b7ec7b769cc1ec40c6d09786d3c2b5b82c","mediaType":"application/vnd.wasm.config.v0+json","size":305},"layers":[{"annotations":{"org.opencontainers.image.title":"echo.wasm"},"digest":"sha256:84279aecfe00949b37fd60376fbea040b2ebba25323c343bf6c553e197d4d65c","mediaType":"application/wasm","size":14421}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}',
  "oras push":
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.unknown.artifact.v1","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},"layers":[{"mediaType":"application/wasm","digest":"sha256:84279aecfe00949b37fd60376fbea040b2ebba25323c343bf6c553e197d4d65c","size":14421,"annotations":{"org.opencontainers.image.title":"echo.wasm"}}],"annotations":{"org.opencontainers.image.created":"2026-11-29T12:05:33Z"}}',
} as const;

test.each(Object.entries(RECORDED))("what %s wrote is read as a component", (_, recorded) => {
  expect(componentLayer(parseManifest(Buffer.from(recorded)))).toMatchObject({
    mediaType: "application/wasm",
    digest: "84279aecfe00949b37fd60376fbea040b2ebba25323c343bf6c553e197d4d65c",
    size: 14_421,
  });
});

if (process.env["AUTHORS"] === "1")
  describe("the commands and the tools of others", () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "registry-tools-"));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    /** Runs a command of this program. */
    async function command(host: string, ...args: readonly string[]): Promise<void> {
      const { code, stderr } = await run(args, { env: { REGISTRY_PLAIN_HTTP: host, DOCKER_CONFIG: folder } });
      expect(stderr).toBe("");
      expect(code).toBe(0);
    }

    const tool = (path: string, args: readonly string[], env: Record<string, string> = {}) =>
      runTool(path, args, { timeoutMs: TOOL_TIMEOUT_MS, cwd: folder, env });

    test(
      "wkg pulls what push wrote, and pull fetches what wkg pushed",
      async () => {
        const wkg = await obtainWkg();
        await using registry = await startRegistry();
        const { host } = registry;
        const echo = await readFile(COMPONENTS.echo);
        await command(host, "push", COMPONENTS.echo, `oci://${host}/plugins/ours:1.0.0`);
        const theirs = join(folder, "by-wkg.wasm");
        await tool(wkg, ["oci", "pull", "--insecure", host, `${host}/plugins/ours:1.0.0`, "-o", theirs]);
        expect(await readFile(theirs)).toEqual(echo);
        await tool(wkg, ["oci", "push", "--insecure", host, `${host}/plugins/theirs:1.0.0`, COMPONENTS.echo]);
        const ours = join(folder, "by-pull.wasm");
        await command(host, "pull", `oci://${host}/plugins/theirs:1.0.0`, "-o", ours);
        expect(await readFile(ours)).toEqual(echo);
      },
      LIMIT_MS,
    );

    test(
      "wkg finds the contract that push --wit wrote, by its name, and fetches it for a world that includes it",
      async () => {
        const wkg = await obtainWkg();
        await using registry = await startRegistry();
        const { host } = registry;
        await command(host, "push", "--wit", `oci://${host}/wit/local/network-host:1.0.0`);
        const configuration = join(folder, "wkg.toml.config");
        const oci = `oci = { registry = "${host}", namespacePrefix = "wit/" }`;
        await writeFile(
          configuration,
          `[namespace_registries]\nlocal = { registry = "${host}", metadata = { preferredProtocol = "oci", ${oci} } }\n` +
            `[registry."${host}".oci]\nprotocol = "http"\n`,
        );
        const env = { WKG_CONFIG_FILE: configuration };
        const got = join(folder, "got.wasm");
        await tool(wkg, ["get", "--format", "wasm", "local:network-host@1.0.0", "-o", got], env);
        expect(await readFile(got)).toEqual(await readFile(CONTRACT));
        await mkdir(join(folder, "wit"));
        const world = "package test:p;\nworld w { include local:network-host/network-plugin@1.0.0; }\n";
        await writeFile(join(folder, "wit/world.wit"), world);
        await tool(wkg, ["fetch"], env);
        expect(await readFile(join(folder, "wkg.lock"), "utf8")).toContain(
          `sha256:${digestOf(await readFile(CONTRACT))}`,
        );
        expect(await readFile(join(folder, "wit/deps/local-network-host-1.0.0/package.wit"), "utf8")).toContain(
          "get-access-levels",
        );
      },
      LIMIT_MS,
    );

    test(
      "oras pulls what push wrote, by the file's name, and pull fetches what oras pushed",
      async () => {
        const oras = await obtainOras();
        await using registry = await startRegistry();
        const { host } = registry;
        const echo = await readFile(COMPONENTS.echo);
        await command(host, "push", COMPONENTS.echo, `oci://${host}/plugins/ours:1.0.0`);
        await tool(oras, ["pull", "--plain-http", `${host}/plugins/ours:1.0.0`]);
        expect(await readFile(join(folder, "echo.wasm"))).toEqual(echo);
        await tool(oras, ["push", "--plain-http", `${host}/plugins/theirs:1`, "echo.wasm:application/wasm"]);
        const ours = join(folder, "by-pull.wasm");
        await command(host, "pull", `oci://${host}/plugins/theirs:1`, "-o", ours);
        expect(await readFile(ours)).toEqual(echo);
      },
      LIMIT_MS,
    );
  });
