/**
 * A small host in Rust on async-nats and Wasmtime, `peers/wasmtime`, where there is a Rust toolchain.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { buildCargoProgram } from "../processes/built-program.ts";
import { type Contender, READY } from "./contender.ts";
import { needsMongodb, needsOnePlugin, responderSubject, startResponder, storeAddress } from "./responder.ts";

export const WASMTIME_NAME = "wasmtime";

const FOLDER = fileURLToPath(new URL("../peers/wasmtime/", import.meta.url));
/** The contract, which its bindings are made of. */
const CONTRACT = ["../../../wit/*.wit"];

export function wasmtimeContender(): Contender {
  let program = "";
  return {
    name: WASMTIME_NAME,
    refuses: (job, store) => needsOnePlugin(job) ?? needsMongodb(job, store),
    async prepare(report) {
      const built = await buildCargoProgram("bench-wasmtime-host", FOLDER, CONTRACT, report);
      if (built.kind === "impossible") return built;
      program = built.path;
      return READY;
    },
    start(job, surroundings) {
      const { natsUrl, store, components } = surroundings;
      const address = storeAddress(WASMTIME_NAME, job, store);
      const args = [responderSubject(WASMTIME_NAME, job), natsUrl, address, ...components];
      return startResponder({ name: WASMTIME_NAME, command: program, args }, job, surroundings);
    },
  };
}
