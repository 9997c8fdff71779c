/**
 * What real clients of wRPC and a replica said to each other, as it was recorded: see `test/authors/wrpc.test.ts`.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { projectFile } from "../plugins.ts";
import { natsConversationSchema } from "./nats-recorder.ts";
import type { ServedName } from "./served-replica.ts";
import { tcpConversationSchema } from "./tcp-recorder.ts";

const PATH = "test/fixtures/wrpc/conversations.json";

const recordingsSchema = z.object({
  tcp: z.object({ crates: z.array(z.string()), conversations: z.array(tcpConversationSchema) }),
  nats: z.object({ crates: z.array(z.string()), conversations: z.array(natsConversationSchema) }),
});

export type Recordings = z.output<typeof recordingsSchema>;

export async function readRecordings(): Promise<Recordings> {
  return recordingsSchema.parse(JSON.parse(await readFile(projectFile(PATH), "utf8")));
}

export async function writeRecordings(recordings: Recordings): Promise<void> {
  await writeFile(projectFile(PATH), `${JSON.stringify(recordings, undefined, 1)}\n`);
}

/** What is asked of which plugin; each is a conversation of that name. Payloads are as the clients take them. */
export const QUESTIONS = [
  { name: "levels", plugin: "gauntlet", ask: "levels" },
  { name: "no levels", plugin: "echo", ask: "levels" },
  { name: "ok", plugin: "gauntlet", ask: "call", method: "echo", payload: "hello" },
  { name: "ok without a body", plugin: "gauntlet", ask: "call", method: "status", payload: "204" },
  { name: "a status of two bytes", plugin: "gauntlet", ask: "call", method: "status", payload: "503" },
  { name: "a long payload", plugin: "gauntlet", ask: "call", method: "echo", payload: "x*2200000" },
  { name: "a long body", plugin: "gauntlet", ask: "call", method: "big-reply", payload: "2200000" },
  { name: "the caller's id", plugin: "gauntlet", ask: "call", method: "id", payload: "" },
  { name: "err", plugin: "gauntlet", ask: "call", method: "err", payload: "" },
  { name: "err beyond ASCII", plugin: "gauntlet", ask: "call", method: "err-payload", payload: "não" },
  { name: "a trap", plugin: "gauntlet", ask: "call", method: "trap", payload: "" },
  { name: "a payload beyond the limit", plugin: "small", ask: "call", method: "echo", payload: "x*65" },
  { name: "a plugin without a grant", plugin: "denied", ask: "call", method: "echo", payload: "hello" },
  { name: "levels of a plugin without a grant", plugin: "denied", ask: "levels" },
] as const satisfies readonly Question[];

export type Question = { readonly name: string; readonly plugin: ServedName } & (
  | { readonly ask: "levels" }
  | { readonly ask: "call"; readonly method: string; readonly payload: string }
);
