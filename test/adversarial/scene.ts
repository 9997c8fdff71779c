/**
 * The scene of the adversarial tests: a replica with hostile plugins, a good neighbour beside them, and canaries
 * that must not change. A secret is in the host's environment, another in its NATS URL, a third in a file in its
 * folder, and a fourth in the neighbour's bucket; {@link Scene.unharmed} looks for all of them where they must not be.
 *
 * @module
 */

import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { inject } from "vitest";
import { COMPONENTS, type ConsumerFile, consumerFile, policyFiles, uniqueName } from "../harness/plugins.ts";
import { childrenOf, runnerOf } from "../harness/processes.ts";
import { type Replica, type ReplicaOptions, startReplica } from "../harness/replica.ts";
import type { LogRecord } from "../harness/replica-log.ts";
import { type Reply, request } from "../harness/request.ts";
import { until } from "../../scripts/lib/until.ts";

/** One plugin of the scene. */
export interface Actor {
  /** A file, or the bytes of one. */
  readonly component: string | Uint8Array;
  /** What is in its policy file besides its name; nothing is allowed where it is left out. */
  readonly policy?: object;
}

export interface SceneOptions<Role extends string> {
  readonly actors: Readonly<Record<Role, Actor>>;
  readonly limits?: ConsumerFile["limits"];
  readonly replica?: Partial<Pick<ReplicaOptions, "args" | "env" | "mongodbUrl" | "natsUrl" | "files">>;
}

export interface Scene<Role extends string> extends AsyncDisposable {
  readonly replica: Replica;
  readonly nats: NatsConnection;
  /** The plugin's name on the wire. */
  name(role: Role): string;
  call(role: Role, method: string, payload?: string | Uint8Array, headers?: Record<string, string>): Promise<Reply>;
  /** Puts other plugins beside the neighbour, by the consumer file, while the replica runs. Policies stay. */
  recast(actors: Readonly<Record<string, Actor>>): Promise<void>;
  /** The first record, past or to come, about a plugin that has an error. */
  loadError(role: Role): Promise<LogRecord>;
  /** Resident bytes of the replica's host process. */
  hostMemoryBytes(): Promise<number>;
  /** Process ids of the host's children. */
  children(): Promise<readonly number[]>;
  /** The runner of a plugin that is loaded; throws where there is none. */
  runnerOf(role: Role): Promise<number>;
  /** Throws unless the host is the same process, the canaries are untouched and unseen, and the neighbour is served. */
  unharmed(): Promise<void>;
}

const CANARY_FILE = "canary.txt";
const BUCKET = "user-data";
/** Of a component that no actor is made of, so that its runner is told from theirs. */
const NEIGHBOUR_POLICY = { allow: ["key-value-read", "key-value-write", "outbound-http"], hosts: [] };

/** Starts a replica with these plugins and a neighbour that is not to notice them. */
export async function openScene<Role extends string>(options: SceneOptions<Role>): Promise<Scene<Role>> {
  const scene = new LiveScene(options);
  try {
    await scene.open();
    return scene;
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

class LiveScene<Role extends string> implements Scene<Role> {
  readonly #options: SceneOptions<Role>;
  readonly #names: Map<Role, string>;
  readonly #neighbour = uniqueName("neighbour");
  readonly #secret = `canary-${crypto.randomUUID()}`;
  readonly #replies: Reply[] = [];
  #folder = "";
  #nats: NatsConnection | undefined;
  #replica: Replica | undefined;

  constructor(options: SceneOptions<Role>) {
    this.#options = options;
    this.#names = new Map((Object.keys(options.actors) as Role[]).map((role) => [role, uniqueName(role)]));
  }

  async open(): Promise<void> {
    const { actors, replica = {} } = this.#options;
    const cast = [...this.#names].map(([role, name]) => [name, actors[role]] as const);
    const natsUrl = replica.natsUrl ?? inject("natsUrl");
    this.#folder = await mkdtemp(join(tmpdir(), "scene-"));
    this.#nats = await connect({ servers: natsUrl });
    this.#replica = await startReplica({
      ...replica,
      natsUrl,
      env: { CANARY_SECRET: this.#secret, ...replica.env },
      consumer: await this.#consumerFile(Object.fromEntries(cast)),
      policies: policyFiles({
        ...Object.fromEntries(cast.map(([name, { policy = {} }]) => [name, policy])),
        [this.#neighbour]: NEIGHBOUR_POLICY,
      }),
    });
    await writeFile(join(this.#replica.folder, CANARY_FILE), this.#secret);
    await this.#expectNeighbour("set", `${BUCKET}\ncanary\n${this.#secret}`, "");
  }

  async recast(actors: Readonly<Record<string, Actor>>): Promise<void> {
    for (const name of Object.keys(actors)) this.#names.set(name as Role, name);
    await this.replica.writeConsumer(await this.#consumerFile(actors));
  }

  async #consumerFile(actors: Readonly<Record<string, Actor>>): Promise<string> {
    const { limits } = this.#options;
    const plugins: Record<string, string> = {};
    for (const [name, { component }] of Object.entries(actors)) {
      plugins[name] = typeof component === "string" ? component : await this.#write(component);
    }
    // The neighbour comes last: it is served although all the others came first.
    plugins[this.#neighbour] = COMPONENTS.gauntlet("all");
    return consumerFile({ group: "adversarial", plugins, ...(limits !== undefined && { limits }) });
  }

  async #write(component: Uint8Array): Promise<string> {
    const path = join(this.#folder, `${crypto.randomUUID()}.wasm`);
    await writeFile(path, component);
    return path;
  }

  get replica(): Replica {
    if (this.#replica === undefined) throw new Error("the scene is not open");
    return this.#replica;
  }

  get nats(): NatsConnection {
    if (this.#nats === undefined) throw new Error("the scene is not open");
    return this.#nats;
  }

  name(role: Role): string {
    const name = this.#names.get(role);
    if (name === undefined) throw new Error(`nobody plays ${role}`);
    return name;
  }

  async call(
    role: Role,
    method: string,
    payload: string | Uint8Array = "",
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const head = { "Rpc-Method": method, ...headers };
    const reply = await request(this.nats, `rpc.${this.name(role)}`, payload, head);
    this.#replies.push(reply);
    return reply;
  }

  async loadError(role: Role): Promise<LogRecord> {
    const name = this.name(role);
    const { replica } = this;
    const [refusal] = await Promise.all([
      replica.logged(({ plugin, err }) => plugin === name && err !== undefined),
      replica.logged(({ plugin, msg }) => plugin === name && msg === "plugin subscribed"),
    ]);
    return refusal;
  }

  async hostMemoryBytes(): Promise<number> {
    return await residentBytes(this.replica.pid);
  }

  async children(): Promise<readonly number[]> {
    return await childrenOf(this.replica.pid);
  }

  async runnerOf(role: Role): Promise<number> {
    return await runnerOf(this.replica, this.name(role));
  }

  async unharmed(): Promise<void> {
    const { pid, folder, records, errorOutput } = this.replica;
    await this.#expectNeighbour("echo", "are you there?", "are you there?");
    await this.#expectNeighbour("get", `${BUCKET}\ncanary`, this.#secret);
    process.kill(pid, 0);
    const canary = await readFile(join(folder, CANARY_FILE), "utf8");
    if (canary !== this.#secret) throw new Error("the canary's file was changed");
    const said = [...this.#replies.map(({ text, headers }) => text + JSON.stringify(headers)), errorOutput];
    if ([...said, JSON.stringify(records)].some((text) => text.includes(this.#secret)))
      throw new Error("a reply or a log record holds the canary");
    for (const child of await this.children()) {
      const environment = await environmentOf(child, pid);
      if (environment !== "") throw new Error(`the child ${child} has an environment: ${environment.slice(0, 200)}`);
    }
  }

  async #expectNeighbour(method: string, payload: string, answer: string): Promise<void> {
    const reply = await request(this.nats, `rpc.${this.#neighbour}`, payload, { "Rpc-Method": method });
    if (reply.status !== 200 || reply.text !== answer)
      throw new Error(`the neighbour was answered ${JSON.stringify(reply.headers)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replica?.[Symbol.asyncDispose]();
    await this.#nats?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The environment that a child was given; empty where it is gone. */
async function environmentOf(child: number, parent: number): Promise<string> {
  const read = async (pid: number, file: string): Promise<string> =>
    await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  // Until it executes its program, a child is a copy of its parent, with the parent's own environment.
  await until(async () => (await read(child, "cmdline")) !== (await read(parent, "cmdline")), {
    what: "the child executes its program",
  });
  return await read(child, "environ");
}

/** Resident bytes of a process; 0 where it is gone. */
export async function residentBytes(pid: number): Promise<number> {
  return await statusBytes(pid, "VmRSS");
}

/** The most that a process ever held resident; 0 where it is gone. */
export async function peakResidentBytes(pid: number): Promise<number> {
  return await statusBytes(pid, "VmHWM");
}

async function statusBytes(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
}

/** Open file descriptors of a process: number → what it is. */
export async function descriptorsOf(pid: number): Promise<ReadonlyMap<string, string>> {
  const numbers = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = numbers.map(async (fd) => [fd, await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")] as const);
  return new Map((await Promise.all(links)).filter(([, target]) => target !== ""));
}
