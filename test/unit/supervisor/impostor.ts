import { Confinement } from "../../../src/supervisor/sandbox/confinement.ts";

/** Starts another program of Node's in the place of the child that is asked for. */
export class Impostor extends Confinement {
  readonly #args: readonly string[];

  constructor(args: readonly string[]) {
    super(new Set(), [], { tools: {}, user: { uid: 1, gid: 1 }, isRoot: false });
    this.#args = args;
  }

  override command(program: string): { file: string; args: string[] } {
    return { file: program, args: [...this.#args] };
  }
}
