/**
 * The program of the thread that parses a large consumer file. It gets the text and the path, answers once and ends.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { parseConsumer } from "./consumer-document.ts";

const { text, file } = workerData as { readonly text: string; readonly file: string };
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(parseConsumer(text, file));
