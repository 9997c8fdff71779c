/**
 * Where the published ports of the tests' containers are reached.
 *
 * Testcontainers takes the address of the bridge's gateway where it finds itself in a container. That is right where the
 * engine's socket was mounted from outside, and wrong where the engine runs beside the tests in the same container: its
 * ports may then be published on loopback alone.
 *
 * @module
 */

import { existsSync } from "node:fs";

/** The interface that an engine makes in its own network namespace, there also while no container runs. */
const BRIDGE = "/sys/class/net/docker0";

/** Names loopback to Testcontainers where the engine shares this process's network; what is set already stays. */
export function nameEngineHost(environment: NodeJS.ProcessEnv): void {
  const engine = environment["DOCKER_HOST"] ?? "unix:";
  if (engine.startsWith("unix:") && existsSync(BRIDGE)) environment["TESTCONTAINERS_HOST_OVERRIDE"] ??= "127.0.0.1";
}
