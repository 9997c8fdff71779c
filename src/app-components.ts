/**
 * The components that a replica fetches from registries, and what it logs about them.
 *
 * @module
 */

import { shortDigest } from "./contract/digest.ts";
import type { ReplicaParts } from "./app-parts.ts";
import { openOciClient } from "./oci/registry-access.ts";
import { ComponentStore } from "./registry/component-store.ts";
import type { PluginSpec } from "./registry/plugin-loader.ts";
import { type RemoteComponentEvents, RemoteComponents } from "./registry/remote-components.ts";
import type { Logger } from "./telemetry/logger.ts";
import { programVersion } from "./version.ts";

/** Opens what fetches components; it connects when a plugin needs it. Throws `usage-invalid`. */
export async function openComponents({ options, logger, closing }: ReplicaParts): Promise<RemoteComponents> {
  const { registries, cacheDir, cacheBytes } = options;
  const client = await openOciClient(registries.access, `network-host/${programVersion()}`);
  const components = new RemoteComponents({
    client,
    openStore: () => ComponentStore.open(cacheDir),
    checkMs: registries.checkMs,
    maxBytes: cacheBytes,
    events: logComponents(logger),
  });
  return closing.own("the components of registries", components);
}

/** Follows the references of a plan. A folder that cannot be written is logged: plugins whose component is there are served. */
export async function followReferences(
  { options, logger }: ReplicaParts,
  components: RemoteComponents,
  specs: readonly PluginSpec[],
): Promise<void> {
  // Plugins that the command line names are files.
  if (options.consumer.kind !== "file") return;
  const references = specs.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
  try {
    await components.follow(options.consumer.path, references);
  } catch (error) {
    logger.warn(
      { err: error, cache: options.cacheDir },
      "the components of registries cannot be kept in the cache folder",
    );
  }
}

function logComponents(logger: Logger): RemoteComponentEvents {
  return {
    resolved: (reference, now, before, durationMs) => {
      const facts = {
        reference,
        manifest: shortDigest(now.manifest),
        digest: shortDigest(now.component),
        ms: Math.round(durationMs),
      };
      if (before === undefined) logger.info(facts, "reference resolved");
      else if (before.component === now.component) logger.info(facts, "the same component was pushed again");
      else logger.info({ ...facts, before: shortDigest(before.component) }, "the tag stands for another component");
    },
    failed: (reference, error, serves, retryMs) =>
      logger.warn(
        { reference, err: error, digest: shortDigest(serves), ...(retryMs !== undefined && { retryMs }) },
        "the registry cannot be asked; the component that is here goes on",
      ),
    recovered: (reference) => logger.info({ reference }, "the registry can be asked again"),
    upkeepFailed: (error) =>
      logger.warn({ err: error }, "the components of registries in the cache folder cannot be kept in order"),
  };
}
