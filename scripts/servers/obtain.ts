/**
 * `node scripts/servers/obtain.ts nats-server|mongod|docker-registry`: prints the path of a working binary on stdout; what it does
 * to get one, on stderr.
 *
 * @module
 */

import { obtainServer, type ServerName, ServerMissingError } from "./binaries.ts";

const KNOWN: readonly string[] = ["nats-server", "mongod", "docker-registry"] satisfies ServerName[];

const name = process.argv[2] ?? "";
if (!KNOWN.includes(name)) {
  console.error(`usage: obtain.ts ${KNOWN.join("|")}`);
  process.exitCode = 2;
} else {
  try {
    console.log(await obtainServer(name as ServerName, (line) => console.error(line)));
  } catch (error) {
    if (!(error instanceof ServerMissingError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
