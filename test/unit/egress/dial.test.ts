import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../src/local-nats/free-port.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { dial } from "../../../src/egress/undici/dial.ts";
import { keepOutput } from "../child-output.ts";
import { RawServer } from "./raw-server.ts";

const TIMEOUT_MS = 60_000;

function dialled(addresses: readonly string[], port: number, late: readonly string[] = []): Promise<Socket> {
  return dial({ addresses, late: Promise.resolve(late), port, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

async function reached(socket: Promise<Socket>): Promise<string | undefined> {
  const connected = await socket;
  const { remoteAddress } = connected;
  connected.destroy();
  return remoteAddress;
}

/** A machine that takes no more connections for now: its queue of them is full, and so it does not answer. */
class BusyMachine implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #queued: Socket[] = [];
  readonly port: number;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(address: string): Promise<BusyMachine> {
    const script = `
      const server = require("node:net").createServer((socket) => socket.on("error", () => undefined));
      server.listen({ port: 0, host: ${JSON.stringify(address)}, backlog: 1 }, () => console.log(server.address().port));`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    keepOutput(child.stderr);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const machine = new BusyMachine(child, Number(line.toString()));
    child.kill("SIGSTOP");
    // More than its queue holds: the last of them stay unanswered.
    for (let index = 0; index < 5; index++)
      machine.#queued.push(connect(machine.port, address).on("error", () => undefined));
    await Promise.all(machine.#queued.slice(0, 2).map((socket) => once(socket, "connect")));
    return machine;
  }

  /** Takes connections again. */
  recover(): void {
    for (const socket of this.#queued) socket.destroy();
    this.#process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    this.#process.kill("SIGKILL");
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, "exit");
  }
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(port, host);
  await once(server, "listening");
  return server;
}

describe("the addresses of a name", () => {
  test("are tried one after the other until one takes the connection", async () => {
    await using server = await RawServer.listen(() => undefined);
    expect(await reached(dialled(["127.0.0.2", "::1", "127.0.0.3", "127.0.0.1"], server.port))).toBe("127.0.0.1");
  });

  test("are tried up to a number", async () => {
    await using server = await RawServer.listen(() => undefined);
    const silent = Array.from({ length: FIXED_LIMITS.httpAddresses }, (_, index) => `127.0.1.${index + 1}`);
    expect(await reached(dialled([...silent.slice(1), "127.0.0.1"], server.port))).toBe("127.0.0.1");
    await expect(dialled([...silent, "127.0.0.1"], server.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(dialled(silent, server.port, ["127.0.0.1"])).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("that come late are tried where the others have failed", async () => {
    await using server = await RawServer.listen(() => undefined);
    expect(await reached(dialled(["127.0.0.2"], server.port, ["127.0.0.1"]))).toBe("127.0.0.1");
  });

  test("that all fail give the error that says most", async () => {
    const port = await freePort();
    await expect(dialled(["255.255.255.255", "127.0.0.1"], port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("are not held up by one that does not answer", { timeout: TIMEOUT_MS }, async () => {
    await using machine = await BusyMachine.start("127.0.0.2");
    await using _ = await listen("127.0.0.1", machine.port);
    expect(await reached(dialled(["127.0.0.2", "127.0.0.1"], machine.port))).toBe("127.0.0.1");
    expect(await reached(dialled(["127.0.0.2"], machine.port, ["127.0.0.1"]))).toBe("127.0.0.1");
  });

  test("that answer slowly are not given up for those that do not", { timeout: TIMEOUT_MS }, async () => {
    await using machine = await BusyMachine.start("127.0.0.2");
    // The first one's request for a connection is lost and comes again after a second; the second one refuses before that.
    const connected = dialled(["127.0.0.2", "127.0.0.3"], machine.port);
    machine.recover();
    expect(await reached(connected)).toBe("127.0.0.2");
  });

  test("are no longer tried when the time is over", { timeout: TIMEOUT_MS }, async () => {
    await using machine = await BusyMachine.start("127.0.0.2");
    const over = new AbortController();
    const connected = dial({
      addresses: ["127.0.0.2"],
      late: new Promise(() => undefined),
      port: machine.port,
      signal: over.signal,
    });
    over.abort(new Error("the time is over"));
    await expect(connected).rejects.toThrow("the time is over");
    await expect(
      dial({ addresses: ["127.0.0.1"], late: Promise.resolve([]), port: 1, signal: over.signal }),
    ).rejects.toThrow("the time is over");
  });
});
