/**
 * Credentials for docker-compose.yml: random, and different for everybody who has some.
 *
 * @module
 */

import { randomBytes } from "node:crypto";

const PASSWORD_BYTES = 24;
/** MongoDB takes 6 to 1,024 characters of base64. */
const KEY_BYTES = 96;

/** Variables of docker-compose.yml, and NATS_URL for whoever calls plugins. */
export function newCredentials(natsPort: number): Readonly<Record<string, string>> {
  const caller = newPassword();
  return {
    NATS_PORT: String(natsPort),
    NATS_REPLICA_PASSWORD: newPassword(),
    NATS_CALLER_PASSWORD: caller,
    MONGO_ROOT_PASSWORD: newPassword(),
    MONGO_REPLICA_PASSWORD: newPassword(),
    MONGO_KEY: randomBytes(KEY_BYTES).toString("base64"),
    NATS_URL: `nats://caller:${caller}@127.0.0.1:${natsPort}`,
  };
}

/** Begins with a letter, since the NATS server reads a variable that begins with a digit as a number. */
function newPassword(): string {
  return `p${randomBytes(PASSWORD_BYTES).toString("hex")}`;
}
