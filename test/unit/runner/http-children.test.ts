import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { projectFile } from "../../harness/plugins.ts";
import { compileArtifact } from "./artifacts.ts";
import { type CallEnd, ENGINES, RunnerChild } from "./runner-child.ts";

const TIMEOUT_MS = 60_000;

/** What has a part that is a resource of its own, and how the former is released where it is not by a drop. */
const WITH_STREAMS = ["outgoing-body", "outgoing-body.finish", "incoming-body", "incoming-body.finish"];
const WITH_FIELDS = [
  "outgoing-request",
  "outgoing-handler.handle",
  "outgoing-response",
  "incoming-response",
  "future-trailers",
];
const OF_A_RESPONSE = new Set(["incoming-response", "incoming-body", "incoming-body.finish", "future-trailers"]);

let artifactDir: string;

beforeAll(async () => {
  artifactDir = await compileArtifact(await readFile(projectFile("test/components/fetcher.wasm")));
}, TIMEOUT_MS);

/** Lets go of such a resource, whose request is answered if there is one. */
async function letGo(runner: RunnerChild, what: string, order: string): Promise<CallEnd["outcome"]> {
  const call = runner.begin("http-let-go", Buffer.from(`${what}\n${order}\na.example`));
  if (OF_A_RESPONSE.has(what)) {
    const asked = await runner.until((message) => message.kind === "http-request" && message.call === call);
    const exchange = asked.kind === "http-request" ? asked.exchange : 0;
    runner.channel.send({
      kind: "http-response",
      exchange,
      response: { status: 200, fields: [["a", Buffer.from("b")]] },
    });
    runner.channel.send({ kind: "http-end", exchange, trailers: [["x", Buffer.from("y")]] });
  }
  return (await runner.end(call)).outcome;
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  it.each(WITH_FIELDS)(
    "%s may be released before its fields, which are copies",
    async (what) => {
      await using runner = await RunnerChild.start({ engine, artifactDir });
      for (const order of ["in order", "out of order"])
        expect(await letGo(runner, what, order)).toMatchObject({ kind: "response", response: { status: 200 } });
    },
    TIMEOUT_MS,
  );

  it.each(WITH_STREAMS)(
    "%s is released behind its stream, and before it by a trap",
    async (what) => {
      await using runner = await RunnerChild.start({ engine, artifactDir });
      expect(await letGo(runner, what, "in order")).toMatchObject({ kind: "response", response: { status: 200 } });
      expect(await letGo(runner, what, "out of order")).toMatchObject({
        kind: "trap",
        message: expect.stringMatching(/an? [a-z-]+ was dropped before its child resource/) as string,
      });
      // The next one begins afresh.
      expect(await letGo(runner, what, "in order")).toMatchObject({ kind: "response" });
    },
    TIMEOUT_MS,
  );
});
