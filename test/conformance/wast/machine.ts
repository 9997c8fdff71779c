/**
 * Runs the commands of a `.wast` script on the linker. What a script says is invalid must be refused by the
 * validator that comes before the plan.
 *
 * @module
 */

import { parse, transpile } from "@bytecodealliance/jco";
import { expect } from "vitest";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import type { LinkedComponent } from "../../../src/runner/linker/linked-component.ts";
import type { LinkedInstance } from "../../../src/runner/linker/linked-instance.ts";
import { exported, instantiate, prepare } from "../../unit/linker/link.ts";
import type { Command, ComponentSource, Invocation } from "./script.ts";
import { comparable, valueOf } from "./values.ts";

const EXPORTS = "test:wast/exports";

interface Running {
  readonly linked: LinkedComponent;
  readonly instance: LinkedInstance;
}

/** What happened to a command. */
export type Verdict = { readonly kind: "held" } | { readonly kind: "unplanned"; readonly reason: string };

const HELD: Verdict = { kind: "held" };

/** The linker does not take the component: the host runs it on the other engine. */
class Unplanned extends Error {}

export class Machine {
  /** Binaries of what the script defines. */
  readonly #definitions = new Map<string, Uint8Array>();
  readonly #instances = new Map<string, Running | Unplanned>();
  #last: Running | Unplanned | undefined;

  /** Executes a command. Throws where what it says does not hold. */
  async execute(command: Command): Promise<Verdict> {
    try {
      await this.#execute(command);
      return HELD;
    } catch (error) {
      if (error instanceof Unplanned) return { kind: "unplanned", reason: error.message };
      throw error;
    }
  }

  async #execute(command: Command): Promise<void> {
    switch (command.kind) {
      case "definition":
        this.#definitions.set(command.component.name ?? "", await assembled(command.component));
        break;
      case "component":
        this.#start(command.component.name, await assembled(command.component));
        break;
      case "instance":
        this.#start(command.name, this.#definitions.get(command.of ?? ""));
        break;
      case "invoke":
        await this.#call(command.call);
        break;
      case "returns":
        expect(comparable(await this.#call(command.call))).toEqual(command.results.map(valueOf)[0]);
        break;
      case "traps":
        expect(await this.#thrownBy(command.call)).toBeInstanceOf(WebAssembly.RuntimeError);
        break;
      case "rejected":
        await expectRejection(command.component.text);
        break;
    }
  }

  #start(name: string | undefined, component: Uint8Array | undefined): void {
    if (component === undefined) throw new Error(`the script instantiates ${name}, which it does not define`);
    const planning = planComponent(component);
    if (planning.kind === "refused") this.#last = new Unplanned(planning.reason);
    else {
      const linked = prepare(component);
      this.#last = { linked, instance: instantiate(linked) };
    }
    this.#instances.set(name ?? "", this.#last);
    if (this.#last instanceof Unplanned) throw this.#last;
  }

  async #thrownBy(call: Invocation): Promise<unknown> {
    try {
      return await this.#call(call);
    } catch (error) {
      if (error instanceof Unplanned) throw error;
      return error;
    }
  }

  async #call({ instance, func, args }: Invocation): Promise<unknown> {
    const running = instance === undefined ? this.#last : this.#instances.get(instance);
    if (running === undefined) throw new Error("the script calls an instance that it did not make");
    if (running instanceof Unplanned) throw running;
    return await exported(running.linked, running.instance, EXPORTS, func)(...args.map(valueOf));
  }
}

/** Plans have the functions of exported interfaces; scripts call those that a component exports by itself. */
async function assembled({ text, isBinary }: ComponentSource): Promise<Uint8Array> {
  // Bytes stand alone; nobody calls what they export.
  if (isBinary) return await parse(text);
  return await parse(
    `(component ${text} (instance $exports (instantiate 0)) (export "${EXPORTS}" (instance $exports)))`,
  );
}

/** The validator in the jco engine's tools refuses it, by an error and not by breaking down. */
async function expectRejection(text: string): Promise<void> {
  const validating = parse(text).then((component) => transpile(component, { name: "component" }));
  const error: unknown = await validating.then(
    () => new Error("the component is accepted"),
    (thrown: unknown) => thrown,
  );
  // What its tools say of a component is in an error's payload; a trap of theirs is not an opinion.
  expect(error).toHaveProperty("payload");
}
