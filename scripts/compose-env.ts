/**
 * `node scripts/compose-env.ts`: writes the credentials that docker-compose.yml asks for to `.env`, readable by its owner
 * alone, unless there is one.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newCredentials } from "./compose/credentials.ts";
import { ROOT } from "./lib/project.ts";

const NATS_PORT = 4222;

const lines = Object.entries(newCredentials(NATS_PORT)).map(([name, value]) => `${name}=${value}\n`);
try {
  await writeFile(join(ROOT, ".env"), lines.join(""), { flag: "wx", mode: 0o600 });
  console.log(".env: written");
} catch (error) {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  console.log(".env: there already, and left as it is");
}
