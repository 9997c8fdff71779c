/**
 * What the host keeps from programs that it starts for other purposes: build tools, credential helpers, servers. Runners get
 * none of the host's environment at all. Pure.
 *
 * @module
 */

/**
 * Variables that say how the host reaches NATS and MongoDB and what it signs with. Their URLs hold passwords, and names that end
 * in `_FILE` lead to secrets, so each goes as a whole.
 */
const HOST_SECRET = /^(?:NATS_|MONGODB_|SIGNING_)/;

/** An environment without the host's secrets. */
export function withoutHostSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !HOST_SECRET.test(name)));
}
