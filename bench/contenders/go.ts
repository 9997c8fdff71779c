/**
 * The same responder as a team would write it in Go, `peers/go-responder`, where there is a Go toolchain.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { buildGoProgram } from "../processes/built-program.ts";
import { type Contender, READY } from "./contender.ts";
import { needsMongodb, responderSubject, startResponder, storeAddress } from "./responder.ts";

const NAME = "go";
const FOLDER = fileURLToPath(new URL("../peers/go-responder/", import.meta.url));

export function goContender(): Contender {
  let program = "";
  return {
    name: NAME,
    refuses: needsMongodb,
    async prepare(report) {
      const built = await buildGoProgram("bench-go-responder", FOLDER, report);
      if (built.kind === "impossible") return built;
      program = built.path;
      return READY;
    },
    start(job, surroundings) {
      const address = storeAddress(NAME, job, surroundings.store);
      const args = [job.work, responderSubject(NAME, job), surroundings.natsUrl, address];
      return startResponder({ name: NAME, command: program, args }, job, surroundings);
    },
  };
}
