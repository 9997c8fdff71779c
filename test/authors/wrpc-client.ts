/**
 * The clients of `test/authors/wrpc`, in Rust, by bindings that the released crates make of wit/: one for each transport.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { endProcess, run } from "../../scripts/lib/command.ts";
import { projectFile } from "../harness/plugins.ts";
import { TOOLCHAINS } from "./workplace.ts";

const BUILD_TIMEOUT_MS = 20 * 60_000;
const RUN_TIMEOUT_MS = 5 * 60_000;
const STOP_GRACE_MS = 5_000;

export const TRANSPORTS = ["tcp", "nats"] as const;

export type Transport = (typeof TRANSPORTS)[number];

/** What a client prints of a call. */
export type Answer =
  | { readonly ok: { readonly status: number; readonly body: string } }
  | { readonly err: string }
  /** No answer: the text of the crates' error. */
  | { readonly failed: string };

/** A client that waits for an answer. */
export interface WaitingClient extends AsyncDisposable {
  /** Goes away from the call: its future is dropped. The process lives on. */
  drop(): Promise<void>;
}

export class RustClient {
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(program: string, natsUrl: string) {
    this.#program = program;
    this.#env = { NATS_URL: natsUrl };
  }

  /** Compiles it, which takes minutes where nothing is kept from before. */
  static async build(transport: Transport, natsUrl: string): Promise<RustClient> {
    const target = join(TOOLCHAINS, "wrpc");
    await run("cargo", ["build", "--release", "--locked", "--quiet"], {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: projectFile(`test/authors/wrpc/${transport}`),
      env: { CARGO_TARGET_DIR: target },
    });
    return new RustClient(join(target, "release", `wrpc-${transport}-client`), natsUrl);
  }

  async levels(address: string): Promise<unknown> {
    return this.#one([address, "levels"]);
  }

  async call(address: string, method: string, payload: string, id?: string): Promise<Answer> {
    return (await this.#one([address, "call", method, payload, ...(id === undefined ? [] : [id])])) as Answer;
  }

  /** Bodies of each of these sizes, so many of each, so many at a time; each compared. @returns how many came back, by size. */
  async echo(address: string, calls: number, inFlight: number, sizes: readonly number[]): Promise<unknown[]> {
    return this.#lines([address, "echo", "echo", ...[calls, inFlight, ...sizes].map(String)]);
  }

  /** Begins a call. Settles when it is on its way. */
  async wait(address: string, method: string, payload: string): Promise<WaitingClient> {
    const child = spawn(this.#program, [address, "drop", method, payload], {
      env: { ...process.env, ...this.#env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const complaints = text(child.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const expectLine = async (expected: object): Promise<void> => {
      const { value } = await lines.next();
      if (value === JSON.stringify(expected)) return;
      child.kill();
      throw new Error(`the client said ${value}: ${await complaints}`);
    };
    await expectLine({ waiting: true });
    return {
      async drop() {
        child.stdin.write("\n");
        await expectLine({ dropped: true });
      },
      [Symbol.asyncDispose]: async () => void (await endProcess(child, STOP_GRACE_MS)),
    };
  }

  async #one(args: readonly string[]): Promise<unknown> {
    const [line, ...more] = await this.#lines(args);
    if (more.length > 0) throw new Error(`${args.join(" ")} had ${more.length} more answers`);
    return line;
  }

  async #lines(args: readonly string[]): Promise<unknown[]> {
    const printed = await run(this.#program, args, { timeoutMs: RUN_TIMEOUT_MS, env: this.#env });
    return printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }
}
