/**
 * The baseline: a responder as a team would write it for one job, `responders/hand-written.ts`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Contender, READY } from "./contender.ts";
import { responderSubject, startResponder, storeAddress } from "./responder.ts";

export const NODE_NAME = "node";

const PROGRAM = fileURLToPath(new URL("../responders/hand-written.ts", import.meta.url));

export const nodeContender: Contender = {
  name: NODE_NAME,
  refuses: () => undefined,
  prepare: async () => READY,
  start(job, surroundings) {
    const { natsUrl, store } = surroundings;
    const address = storeAddress(NODE_NAME, job, store);
    const args = [PROGRAM, job.work, responderSubject(NODE_NAME, job), natsUrl, store.kind, address];
    return startResponder({ name: NODE_NAME, command: process.execPath, args }, job, surroundings);
  },
};
