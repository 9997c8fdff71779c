/** Servers that end with whoever started them, with real processes. */

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { exited } from "../../../scripts/lib/command.ts";
import { until } from "../../../scripts/lib/until.ts";
import { startServer } from "../../../src/local-nats/server-process.ts";

const MODULE = new URL("../../../src/local-nats/server-process.ts", import.meta.url).href;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a server ends when its starter is killed", async () => {
  const script = `
    const { startServer } = await import(${JSON.stringify(MODULE)});
    console.log(startServer("sleep", ["600"], process.env).pid);
  `;
  const starter = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const complaints = text(starter.stderr);
  const { value: line } = await createInterface(starter.stdout)[Symbol.asyncIterator]().next();
  if (line === undefined) throw new Error(await complaints);
  const pid = Number(line);
  expect(isThere(pid)).toBe(true);
  starter.kill("SIGKILL");
  await until(() => !isThere(pid), { what: "the server ends", timeoutMs: 60_000 });
});

test("a server is the child itself: its end and its exit code are the child's", async () => {
  const ended = startServer("sh", ["-c", "exit 7"], process.env);
  expect(await exited(ended)).toEqual({ code: 7, signal: null });
  const killed = startServer("sleep", ["600"], process.env);
  killed.kill("SIGKILL");
  expect(await exited(killed)).toEqual({ code: null, signal: "SIGKILL" });
  const missing = startServer("/no/such/server", [], process.env);
  expect(await exited(missing)).toEqual({ code: 127, signal: null });
});

test("nothing that watches a server is left when it has ended", async () => {
  const server = startServer("sleep", ["600"], process.env);
  const group = -(server.pid ?? 0);
  server.kill("SIGTERM");
  await exited(server);
  await until(() => !isThere(group), { what: "the server's process group is empty", timeoutMs: 60_000 });
});
