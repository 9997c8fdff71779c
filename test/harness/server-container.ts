/**
 * A server as a container, with the same faults as a process: its host port stays the same over a restart.
 *
 * @module
 */

import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { freePort } from "../../src/local-nats/free-port.ts";
import { type Launched, READY_TIMEOUT_MS } from "./readiness.ts";

/** How to launch a server's image. */
export interface ContainerPlan {
  readonly image: string;
  readonly containerPort: number;
  readonly command: readonly string[];
  /** Files of {@link CONTAINER_FOLDER}, by name, there before it starts. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Where a container finds its files. */
export const CONTAINER_FOLDER = "/tmp/server";

/** Starts a container whose port is published on a free port of the engine's host. */
export async function launchContainer(plan: ContainerPlan): Promise<Launched> {
  const hostPort = await freePort();
  const started: StartedTestContainer = await new GenericContainer(plan.image)
    .withCommand([...plan.command])
    .withCopyContentToContainer(
      Object.entries(plan.files ?? {}).map(([name, content]) => ({ content, target: `${CONTAINER_FOLDER}/${name}` })),
    )
    .withWorkingDir(CONTAINER_FOLDER)
    .withExposedPorts({ container: plan.containerPort, host: hostPort })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(READY_TIMEOUT_MS)
    .start();
  const runtime = await getContainerRuntimeClient();
  const container = runtime.container.getById(started.getId());
  return {
    host: started.getHost(),
    port: hostPort,
    async pause() {
      await container.pause();
    },
    async resume() {
      await container.unpause();
    },
    async kill() {
      await container.kill({ signal: "SIGKILL" });
      await container.wait();
    },
    async start() {
      await container.start();
    },
    async reload(name, text) {
      await started.copyContentToContainer([{ content: text, target: `${CONTAINER_FOLDER}/${name}` }]);
      await container.kill({ signal: "SIGHUP" });
    },
    failure: () => undefined,
    async remove() {
      await container.remove({ force: true, v: true });
    },
  };
}
