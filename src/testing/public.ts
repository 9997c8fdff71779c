/**
 * `network-host/testing`: tests of a plugin from a test runner of JavaScript, such as vitest.
 *
 * Runs on Node 20 as far as its first line of advice: whatever needs a younger one is imported later.
 *
 * @module
 */

import type { OpenOptions, PluginUnderTest } from "./public-types.ts";

export type * from "./public-types.ts";

const LEAST_NODE = 26;

/**
 * Loads a plugin and starts its process.
 *
 * @param component path of the component's file
 * @throws an error with a `code` of docs/errors.md, which says what to do
 */
export async function openPlugin(component: string, options: OpenOptions = {}): Promise<PluginUnderTest> {
  const { HostError } = await import("../errors/host-error.ts");
  if (Number.parseInt(process.versions.node, 10) < LEAST_NODE)
    throw new HostError(
      "usage-invalid",
      `network-host/testing needs Node ${LEAST_NODE}, and this is ${process.version}; run the tests by npm, which finds the Node that the package brings`,
    );
  const { openPublicPlugin } = await import("./public-plugin.ts");
  return await openPublicPlugin(component, options);
}
