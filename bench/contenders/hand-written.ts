/**
 * The baseline: a responder as a team would write it for one job, `responders/hand-written.ts`.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../child-process.ts";
import type { Contender } from "./contender.ts";

export const HAND_WRITTEN_NAME = "hand-written";

const PROGRAM = fileURLToPath(new URL("../responders/hand-written.ts", import.meta.url));

export const handWrittenContender: Contender = {
  name: HAND_WRITTEN_NAME,
  async start(job, { natsUrl, store, folder }) {
    const subject = `hand-written.${job.name}`;
    const storeAddress = store.kind === "mongodb" ? store.urlOf("hand-written") : store.pathOf("hand-written");
    const child = await startChild({
      name: HAND_WRITTEN_NAME,
      command: process.execPath,
      args: [PROGRAM, job.name, subject, natsUrl, store.kind, storeAddress],
      folder,
      answers: async () => (await readFile(join(folder, `${HAND_WRITTEN_NAME}.log`), "utf8")).includes("ready\n"),
    });
    return {
      subject,
      processes: async () => [{ role: "responder", pid: child.pid }],
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  },
};
