/**
 * A registry as a process of the run, and the components that it is given.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { obtainServer } from "../../scripts/servers/binaries.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { digestOf } from "../../src/contract/digest.ts";
import { OciClient } from "../../src/oci/client.ts";
import { pushComponent } from "../../src/oci/component-push.ts";
import { startChild } from "../processes/child-process.ts";

const TAG = "1.0.0";

/** Starts the registry; whoever owns the stack ends it. @returns its `host:port` */
export async function startRegistry(
  folder: string,
  owned: AsyncDisposableStack,
  report: (line: string) => void,
): Promise<string> {
  const host = `127.0.0.1:${await freePort()}`;
  const data = join(folder, "registry");
  await mkdir(data);
  const configuration = join(folder, "registry.yml");
  // JSON is YAML.
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: data } },
      http: { addr: host },
    }),
  );
  const child = await startChild({
    name: "docker-registry",
    command: await obtainServer("docker-registry", report),
    args: ["serve", configuration],
    folder,
    answers: () => isAnswering(host),
  });
  owned.use(child);
  return host;
}

/** Pushes components, each to a repository of its own. @returns their references. */
export async function pushAll(host: string, paths: readonly string[], prefix: string): Promise<string[]> {
  const credentials = () => Promise.resolve(undefined);
  await using client = new OciClient({ userAgent: "bench", plainHttpHosts: [host], credentials });
  const references: string[] = [];
  for (const [index, path] of paths.entries()) {
    const at = { host, repository: `${prefix}/plugin-${index}`, tag: TAG };
    const bytes = await readFile(path);
    const content = { digest: digestOf(bytes), size: bytes.length, open: () => createReadStream(path) };
    await pushComponent(client, at, { content, title: "plugin.wasm", imports: [], exports: [], created: new Date() });
    references.push(`oci://${host}/${at.repository}:${TAG}`);
  }
  return references;
}

async function isAnswering(host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}/v2/`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}
