/**
 * A run that calls a plugin over wRPC on the host and on the server of the released crates, in turns. The tables go to stdout, and
 * the ratios as JSON in their last line.
 *
 * @module
 */

import { freePort } from "../../src/local-nats/free-port.ts";
import { obtainComponent } from "../jobs/components.ts";
import { inTurn } from "../figures/in-turn.ts";
import { digits, percent, spread, table, times, whole } from "../figures/report-text.ts";
import { BUSY_GENERATOR, type ProcessCost } from "../figures/measurement.ts";
import { ratioOf, type Spread, spreadOf } from "../figures/statistics.ts";
import type { WatchedProcess } from "../processes/process-usage.ts";
import { watchProcesses } from "../processes/process-watch.ts";
import { isServerRole, type Servers, startServers } from "../servers/servers.ts";
import { describeMachine, machineLine } from "../setup/machine.ts";
import { hostPathOf } from "../setup/open-run.ts";
import { openFolder, report, writeRun } from "../setup/results.ts";
import type { WrpcPlan } from "./command.ts";
import { openPeer, type Peer, type Transport } from "./peer.ts";
import { startWrpcReplica } from "./wrpc-replica.ts";

const CONTENDERS = ["host", "crates"] as const;

type Contender = (typeof CONTENDERS)[number];

/** What the host is meant to reach, as a ratio of calls in a second. Over NATS the crates await a handshake for each call. */
const LEAST: Readonly<Record<Transport, number>> = { tcp: 0.8, nats: 2 };

const HOST = "127.0.0.1";
const PEER_PREFIX = "crates";

/** Where one of them is, and its processes. */
interface Served {
  readonly address: string;
  processes(): Promise<readonly WatchedProcess[]>;
}

interface CallMeasurement {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly generatorLoad: number;
  readonly lost: number;
  readonly costs: readonly ProcessCost[];
  /** Of its own processes, without the NATS server that all share. */
  readonly ownCpuPer10k: number;
}

interface TransportResult {
  readonly transport: Transport;
  readonly rounds: Readonly<Record<Contender, readonly CallMeasurement[]>>;
  readonly ratio: Spread;
  readonly isMet: boolean;
}

/** Measures, prints and writes down everything; the last line has the ratios. */
export async function runWrpc(plan: WrpcPlan, signal: AbortSignal): Promise<void> {
  const machine = await describeMachine();
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers({ store: "sqlite", jobs: [], folder }, owned, report);
  const component = await obtainComponent("echo", report);
  const replica = owned.use(await startWrpcReplica({ mainPath, servers, component, folder }));
  const results: TransportResult[] = [];
  for (const transport of plan.transports) {
    const peer = await openPeer(transport, servers.natsUrl, report);
    await using child = await startPeer(peer, transport, folder);
    const served = {
      host: { address: replica.addresses[transport], processes: () => replica.processes() },
      crates: { address: child.address, processes: () => Promise.resolve([{ role: "crates", pid: child.pid }]) },
    };
    results.push(await measureTransport(transport, peer, served, servers, plan, signal));
  }
  const text = [
    machineLine(machine),
    `${plan.inFlight} calls of 64 bytes in flight, caller: ${plan.caller}; ${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    resultText(results),
    targetText(results),
  ].join("\n\n");
  const path = await writeRun({ plan, machine, results }, text);
  console.log(`${text}\n\nEverything measured: ${path}`);
  const ratios = results.map(({ transport, ratio }) => [transport, Number(ratio.median.toPrecision(3))]);
  console.log(JSON.stringify({ wrpc: Object.fromEntries(ratios) }));
}

async function startPeer(
  peer: Peer,
  transport: Transport,
  folder: string,
): Promise<AsyncDisposable & { readonly address: string; readonly pid: number }> {
  const address = transport === "tcp" ? `${HOST}:${await freePort()}` : PEER_PREFIX;
  const child = await peer.serve(address, folder);
  return { address, pid: child.pid, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

async function measureTransport(
  transport: Transport,
  peer: Peer,
  served: Readonly<Record<Contender, Served>>,
  servers: Servers,
  plan: WrpcPlan,
  signal: AbortSignal,
): Promise<TransportResult> {
  const rounds: Record<Contender, CallMeasurement[]> = { host: [], crates: [] };
  const { caller, inFlight, warmUpMs, settleMs, measureMs } = plan;
  for (const contender of CONTENDERS) {
    await peer.call({ ...served[contender], caller, inFlight, warmUpMs: 0, measureMs: settleMs });
  }
  for (let round = 1; round <= plan.rounds; round++) {
    for (const contender of inTurn(CONTENDERS, round)) {
      signal.throwIfAborted();
      const { address } = served[contender];
      const endWatch = await watchProcesses(async () => [...(await served[contender].processes()), servers.nats]);
      const figures = await peer.call({ address, caller, inFlight, warmUpMs, measureMs });
      const costs = await endWatch(figures.totalRequests);
      rounds[contender].push({ ...figures, costs, ownCpuPer10k: ownCpuOf(costs) });
    }
    const line = CONTENDERS.map((one) => `${one} ${whole(rounds[one].at(-1)?.requestsPerSecond ?? 0)}/s`);
    report(`${transport}, round ${round}/${plan.rounds}: ${line.join(", ")}`);
  }
  const ratio = ratioOf(
    rounds.host.map(({ requestsPerSecond }) => requestsPerSecond),
    rounds.crates.map(({ requestsPerSecond }) => requestsPerSecond),
  );
  return { transport, rounds, ratio, isMet: ratio.median >= LEAST[transport] };
}

function ownCpuOf(costs: readonly ProcessCost[]): number {
  return costs.reduce((sum, { role, cpuSecondsPer10k }) => sum + (isServerRole(role) ? 0 : cpuSecondsPer10k), 0);
}

function resultText(results: readonly TransportResult[]): string {
  const rows = results.flatMap(({ transport, rounds }) =>
    CONTENDERS.map((contender) => {
      const over = (figure: (measured: CallMeasurement) => number): Spread => spreadOf(rounds[contender].map(figure));
      return [
        transport,
        contender,
        spread(
          over(({ requestsPerSecond }) => requestsPerSecond),
          whole,
        ),
        spread(
          over(({ p50Ms }) => p50Ms),
          digits,
        ),
        spread(
          over(({ p99Ms }) => p99Ms),
          digits,
        ),
        spread(
          over(({ ownCpuPer10k }) => ownCpuPer10k),
          digits,
        ),
        spread(
          over(({ generatorLoad }) => generatorLoad),
          percent,
        ),
      ];
    }),
  );
  return table(["", "", "calls/s", "p50, ms", "p99, ms", "own CPU s per 10,000", "caller's load"], rows);
}

/** Which calls got no answer: an empty text where none did. */
function lostText(results: readonly TransportResult[]): string {
  const lines = results.flatMap(({ transport, rounds }) =>
    CONTENDERS.flatMap((contender) => {
      const lost = rounds[contender].reduce((sum, measured) => sum + measured.lost, 0);
      return lost === 0 ? [] : [`\n\n${transport}, ${contender}: callers gave up ${lost} calls without an answer.`];
    }),
  );
  return lines.join("");
}

function targetText(results: readonly TransportResult[]): string {
  const rows = results.map(({ transport, ratio, isMet }) => [
    transport,
    `≥ ${times(LEAST[transport])}`,
    spread(ratio, times),
    isMet ? "yes" : "no",
  ]);
  const isBusy = results.some(({ rounds }) =>
    CONTENDERS.some((one) => spreadOf(rounds[one].map(({ generatorLoad }) => generatorLoad)).median > BUSY_GENERATOR),
  );
  const warning = isBusy ? "\n\nThe caller used more than 80 % of a core: it may be the bottleneck." : "";
  return `${table(["", "target", "calls/s of the host to those of the crates", "met"], rows)}${lostText(results)}${warning}`;
}
