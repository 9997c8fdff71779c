/**
 * Which of the replicas that run as this user on this machine a command means, and what each of them answers.
 *
 * @module
 */

import { askReplica } from "../control/client.ts";
import type { ControlAnswers, ControlVerb } from "../control/protocol.ts";
import { type FoundSocket, listSockets } from "../control/socket-folder.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { parseControl } from "./serve-options.ts";
import { badSetting, type Flags, quoted } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** To say who it is takes a replica no time, unless it hangs. */
const IDENTIFY_MS = 5_000;
/** Asked at a time. */
const CONCURRENT = 16;

/** What a replica answered, or why it did not. */
export type ReplicaAnswer<Verb extends ControlVerb> =
  | { readonly kind: "answered"; readonly pid: number; readonly answer: ControlAnswers[Verb] }
  | { readonly kind: "failed"; readonly pid: number; readonly error: HostError };

/** Replicas to ask: by name (a replica's id or its process id), all, or the only one. */
export interface ReplicaChoice {
  readonly name: string | undefined;
  readonly several: "all" | "refuse";
}

/**
 * Asks the replicas that are meant, side by side; the result is in the order of their process ids. Throws
 * `replica-unreachable` where there is none and `usage-invalid` where it is not clear which.
 */
export async function askReplicas<Verb extends ControlVerb>(
  verb: Verb,
  { name, several, timeoutMs }: ReplicaChoice & { readonly timeoutMs: number },
  { flags, env }: { readonly flags: Flags; readonly env: Terminal["env"] },
): Promise<readonly ReplicaAnswer<Verb>[]> {
  const folder = parseControl(flags, env)?.folder;
  if (folder === undefined)
    throw badSetting({ source: "--control", text: "off" }, "no replica can be asked without its folder");
  const sockets = await listSockets(folder);
  const chosen = await choose(sockets, { name, several }, folder);
  const answers = await askEach(chosen, verb, timeoutMs);
  if (answers.length === 0) throw noReplica(folder, name);
  return answers;
}

async function choose(
  sockets: readonly FoundSocket[],
  { name, several }: ReplicaChoice,
  folder: string,
): Promise<readonly FoundSocket[]> {
  if (name === undefined && several === "all") return sockets;
  const known = await askEach(sockets, "identify", IDENTIFY_MS);
  const meant = known.filter(
    (each) => name === undefined || String(each.pid) === name || (each.kind === "answered" && each.answer.id === name),
  );
  if (meant.length > 1) {
    const each = meant.map((one) =>
      one.kind === "answered" ? `${one.answer.id} (process ${one.pid})` : String(one.pid),
    );
    const advice = name === undefined ? "name one, by its id or process, or give --all" : "name one by its process";
    throw new HostError("usage-invalid", `${meant.length} replicas run here: ${each.join(", ")}; ${advice}`);
  }
  if (meant.length === 0) throw noReplica(folder, name);
  return sockets.filter(({ pid }) => meant.some((one) => one.pid === pid));
}

/** Those that are gone are left out. */
async function askEach<Verb extends ControlVerb>(
  sockets: readonly FoundSocket[],
  verb: Verb,
  timeoutMs: number,
): Promise<ReplicaAnswer<Verb>[]> {
  const answers: ReplicaAnswer<Verb>[] = [];
  const waiting = sockets.values();
  const work = async (): Promise<void> => {
    for (const socket of waiting) {
      const { pid } = socket;
      try {
        const answer = await askReplica(socket, verb, timeoutMs);
        if (answer !== undefined) answers.push({ kind: "answered", pid, answer });
      } catch (error) {
        answers.push({ kind: "failed", pid, error: toHostError(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  return answers.sort((one, other) => one.pid - other.pid);
}

function noReplica(folder: string, name: string | undefined): HostError {
  const which = `no replica${name === undefined ? "" : quoted(name)}`;
  return new HostError(
    "replica-unreachable",
    `${which} has a socket in ${folder}: does one run here, as this user, with the same --control?`,
  );
}

/** The exit code for several replicas: what takes somebody to act goes before what passes. */
export function worstExitCode(codes: readonly ExitCode[]): ExitCode {
  return [EXIT.bug, EXIT.usage, EXIT.failed, EXIT.unavailable].find((code) => codes.includes(code)) ?? EXIT.ok;
}

export function exitCodeOfFailure({ error }: { readonly error: HostError }): ExitCode {
  return exitCodeOf(error.code);
}
