/**
 * jco used plainly: `responders/jco-plain.ts`, one process, a fresh instance for every request.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Contender, READY } from "./contender.ts";
import { needsOnePlugin, responderSubject, startResponder, storeAddress } from "./responder.ts";

const NAME = "jco";
const PROGRAM = fileURLToPath(new URL("../responders/jco-plain.ts", import.meta.url));

export const jcoContender: Contender = {
  name: NAME,
  refuses: needsOnePlugin,
  prepare: async () => READY,
  start(job, surroundings) {
    const { natsUrl, store, components } = surroundings;
    const address = storeAddress(NAME, job, store);
    const args = [PROGRAM, responderSubject(NAME, job), natsUrl, store.kind, address, ...components];
    return startResponder({ name: NAME, command: process.execPath, args }, job, surroundings);
  },
};
