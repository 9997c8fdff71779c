/**
 * The real `cosign`, and a registry with the referrers API, both built by Go. It takes minutes, and is done once.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endProcess, isExecutable, run } from "../../scripts/lib/command.ts";
import { projectFile } from "../harness/plugins.ts";
import { TOOLCHAINS } from "./workplace.ts";

export const COSIGN_VERSION = "v3.1.3";
const COSIGN = `github.com/sigstore/cosign/v3/cmd/cosign@${COSIGN_VERSION}`;

const BUILD_TIMEOUT_MS = 60 * 60_000;
const COMMAND_TIMEOUT_MS = 2 * 60_000;
const STOP_GRACE_MS = 10_000;

const BIN = join(TOOLCHAINS, "go-bin");

async function obtain(name: string, build: () => Promise<unknown>): Promise<string> {
  const path = join(BIN, name);
  await mkdir(BIN, { recursive: true });
  if (!(await isExecutable(path))) await build();
  return path;
}

/** `cosign` in a folder, without a transparency log and without a network beyond the registry. */
export interface Cosign {
  /** Makes `<name>.key` of a private key in PEM. */
  importKey(name: string, pem: string): Promise<void>;
  run(...args: readonly string[]): Promise<string>;
  /** In the form of today: a bundle. */
  sign(name: string, reference: string): Promise<string>;
  /** In the form of before. */
  signAsBefore(name: string, reference: string): Promise<string>;
  /** Says something else about it than that it is signed. */
  attest(name: string, reference: string): Promise<string>;
  /** `publicKey`: the file's path. Rejects where no signature fits. */
  verify(publicKey: string, reference: string): Promise<string>;
}

export async function obtainCosign(folder: string): Promise<Cosign> {
  const path = await obtain("cosign", () =>
    run("go", ["install", "-trimpath", "-ldflags=-s -w", COSIGN], {
      timeoutMs: BUILD_TIMEOUT_MS,
      env: { GOBIN: BIN },
    }),
  );
  const cosign = (...args: readonly string[]) =>
    run(path, args, { timeoutMs: COMMAND_TIMEOUT_MS, cwd: folder, env: { COSIGN_PASSWORD: "", HOME: folder } });
  await cosign("signing-config", "create", "--out", "signing-config.json");
  await cosign("trusted-root", "create", "--out", "trusted-root.json");
  await writeFile(join(folder, "predicate.json"), "{}");
  const offline = ["--signing-config", "signing-config.json", "--trusted-root", "trusted-root.json"];
  const before = ["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false"];
  return {
    run: cosign,
    async importKey(name, pem) {
      await writeFile(join(folder, `${name}.imported.pem`), pem);
      await cosign("import-key-pair", "--key", `${name}.imported.pem`, "--output-key-prefix", name);
    },
    sign: (name, reference) => cosign("sign", "-y", "--key", `${name}.key`, ...offline, reference),
    signAsBefore: (name, reference) => cosign("sign", "-y", "--key", `${name}.key`, ...before, reference),
    attest: (name, reference) =>
      cosign("attest", "-y", "--key", `${name}.key`, "--predicate", "predicate.json", ...offline, reference),
    verify: (publicKey, reference) => {
      const flags = ["--insecure-ignore-tlog=true", "--trusted-root", "trusted-root.json"];
      return cosign("verify", "--key", publicKey, ...flags, reference);
    },
  };
}

/** A registry with the referrers API, in memory. */
export async function startReferrersRegistry(): Promise<AsyncDisposable & { readonly host: string }> {
  const source = projectFile("test/authors/referrers-registry");
  const path = await obtain("referrers-registry", () =>
    run("go", ["build", "-trimpath", "-o", join(BIN, "referrers-registry"), "."], {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: source,
      env: { CGO_ENABLED: "0" },
    }),
  );
  const child = spawn(path, { stdio: ["ignore", "pipe", "ignore"] });
  const [host] = (await once(createInterface(child.stdout), "line")) as [string];
  return { host, [Symbol.asyncDispose]: async () => void (await endProcess(child, STOP_GRACE_MS)) };
}
