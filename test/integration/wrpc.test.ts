/**
 * Plugins that a replica serves over wRPC: the real command line, a real component, raw sockets.
 */

import { createServer } from "node:net";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { freePort } from "../../src/local-nats/free-port.ts";
import { until } from "../../scripts/lib/until.ts";
import { encodeFrame, encodeOpening } from "../../src/wrpc/frames.ts";
import { HANDLER_INSTANCE } from "../../src/wrpc/handler-functions.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { RawCaller, requestBytes, resultIn } from "../unit/wrpc-server/scene.ts";

describe("a replica", () => {
  let nats: NatsConnection;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });

  afterAll(async () => {
    await nats.close();
  });

  test("serves the plugins that its consumer file lists over wRPC, beside NATS, with the same log and metrics", async () => {
    const [echo, quiet] = [uniqueName("echo"), uniqueName("quiet")];
    const port = await freePort();
    const consumer = withWrpc({ [echo]: COMPONENTS.echo, [quiet]: COMPONENTS.echo }, { [echo]: port });
    await using replica = await startReplica({ consumer, policies: {} });
    await replica.logged(({ msg, plugin }) => msg === "the plugin is served over wRPC" && plugin === echo);
    const calls = Array.from({ length: 32 }, (_, index) => `call ${index}`);
    const results = await Promise.all(calls.map((payload) => call(port, { id: "", payload: Buffer.from(payload) })));
    expect(results.map((result) => (result?.tag === "ok" ? Buffer.from(result.val.body).toString() : result))).toEqual(
      calls,
    );
    expect((await request(nats, `rpc.${echo}`, "x")).text).toBe("x");
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    expect(metrics).toContain(`network_host_wrpc_connections_ended_total{plugin="${echo}",outcome="answered"} 32`);
    expect(metrics).toContain(`network_host_wrpc_connections{plugin="${echo}"} 0`);
    expect(metrics).not.toContain(`network_host_wrpc_connections{plugin="${quiet}"}`);
    const logged = (): number =>
      replica.records.filter(({ msg, plugin }) => msg === "request" && plugin === echo).length;
    await until(() => Promise.resolve(logged() === 33), { what: "every request is recorded" });
  });

  test("answers get-access-levels, and applies policy and limits as to NATS requests", async () => {
    const [user, denied] = [uniqueName("user"), uniqueName("denied")];
    const [userPort, deniedPort] = [await freePort(), await freePort()];
    const component = COMPONENTS.userDataRust;
    const consumer = withWrpc({ [user]: component, [denied]: component }, { [user]: userPort, [denied]: deniedPort });
    const policies = policyFiles({ [user]: { ...READ_WRITE, limits: { payloadBytes: 100 } } });
    await using _replica = await startReplica({ consumer, policies });
    const levels = Buffer.concat([
      encodeOpening({ instance: HANDLER_INSTANCE, name: "get-access-levels" }),
      ...encodeFrame([]),
    ]);
    expect((await (await RawCaller.to(userPort)).send(levels).end().closed).toString("hex")).toBe("000103");
    expect((await (await RawCaller.to(deniedPort)).send(levels).end().closed).length).toBe(0);
    expect(await call(deniedPort)).toMatchObject({ val: expect.stringMatching(/^denied: /) });
    expect(await call(userPort, { payload: new Uint8Array(101) })).toMatchObject({
      val: expect.stringMatching(/^payload-too-large: /),
    });
  });

  test("follows the file, and finishes calls in a drain", async () => {
    const plugin = uniqueName("slow");
    const [first, second] = [await freePort(), await freePort()];
    const plugins = { [plugin]: COMPONENTS.echo };
    await using replica = await startReplica({ consumer: withWrpc(plugins, { [plugin]: first }), policies: {} });
    expect((await call(first))?.tag).toBe("ok");
    await replica.writeConsumer(withWrpc(plugins, { [plugin]: second }));
    await replica.logged(
      ({ msg, address }) => msg === "the plugin is served over wRPC" && address === `127.0.0.1:${second}`,
    );
    expect((await call(second))?.tag).toBe("ok");
    expect(await call(first)).toBeUndefined();
    const half = (await RawCaller.to(second)).send(requestBytes().subarray(0, -1));
    const isHeld = async (): Promise<boolean> =>
      /^network_host_wrpc_parameter_bytes [1-9]/m.test(await (await fetch(`${replica.healthUrl}/metrics`)).text());
    await until(isHeld, { what: "its first bytes are read" });
    const ended = replica.stop();
    expect(resultIn(await half.closed)).toMatchObject({ val: expect.stringMatching(/^draining: /) });
    expect(await ended).toMatchObject({ code: 0 });
  });

  test("does not start where an address is taken, and says what to do", async () => {
    const plugin = uniqueName("taken");
    await using taken = createServer();
    await new Promise<void>((listening) => taken.listen({ host: "127.0.0.1", port: 0 }, listening));
    const { port } = taken.address() as { port: number };
    const consumer = withWrpc({ [plugin]: COMPONENTS.echo }, { [plugin]: port });
    await using replica = await startReplica({ consumer, policies: {}, waitFor: "process" });
    expect((await replica.ended).code).not.toBe(0);
    expect(`${replica.errorOutput}${JSON.stringify(replica.records)}`).toContain("listen-failed");
  });
});

/** The text of a consumer file that serves these plugins over wRPC on these ports. */
function withWrpc(plugins: Readonly<Record<string, string>>, ports: Readonly<Record<string, number>>): string {
  const served = Object.entries(ports).map(([name, port]) => ({ name, listen: `127.0.0.1:${port}` }));
  const file = JSON.parse(consumerFile({ group: "wrpc", plugins })) as object;
  return JSON.stringify({ ...file, wrpc: { tcp: { plugins: served } } });
}

async function call(port: number, given?: Parameters<typeof requestBytes>[0]): Promise<ReturnType<typeof resultIn>> {
  return resultIn(await (await RawCaller.to(port)).send(requestBytes(given)).end().closed);
}
