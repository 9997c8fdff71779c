/**
 * What `npm start` shows, apart from the replica's log.
 *
 * @module
 */

import { styleText } from "node:util";
import type { ExampleReply, ExampleRequest } from "./requests.ts";

type Style = Parameters<typeof styleText>[0];

function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A step that is done. */
export function showDone(what: string, detail: string): void {
  console.log(`${styled("green", "✓")} ${what.padEnd(8)} ${styled("dim", detail)}`);
}

/** A step that takes a while. */
export function showWork(what: string): void {
  console.log(styled("dim", `  ${what}`));
}

export function showProblem(message: string): void {
  console.error(`${styleText("red", "✗", { stream: process.stderr })} ${message}`);
}

export function showExchange({ plugin, method, payload }: ExampleRequest, reply: ExampleReply): void {
  const time = reply.roundTripMs === null ? "" : `${reply.roundTripMs.toFixed(1)} ms`;
  console.log(`\n${styled("bold", `rpc.${plugin}`)} ${method} ${styled("dim", JSON.stringify(payload))}`);
  if (reply.ok) {
    const status = styled(reply.status !== null && reply.status < 400 ? "green" : "yellow", String(reply.status));
    console.log(`  ${status} ${reply.body} ${styled("dim", time)}`);
  } else {
    console.log(
      `  ${styled("red", reply.error?.code ?? "error")} ${reply.error?.message ?? ""} ${styled("dim", time)}`,
    );
  }
}

/** @param prefix what has to stand before a command to reach this NATS server, empty or ending with a space */
export function showNextSteps(prefix: string): void {
  console.log(`
Try next, in another terminal:
  ${prefix}npx network-host call echo say 'hello'
  ${prefix}npx network-host call user-data-rust append 'a first payload' --json
  npx network-host inspect examples/user-data-rust/user-data-rust.wasm --policy policy

Serving until Ctrl-C. The log:`);
}
