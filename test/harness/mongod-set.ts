/**
 * Deployments of MongoDB that a container of the shared kind is not: with users and their rights, and of several
 * members. Always processes of this machine, since members have to find each other.
 *
 * @module
 */

import { type Document, MongoClient } from "mongodb";
import { mongodAnswers, mongodArgs } from "../../scripts/servers/mongod-probe.ts";
import { type Launched, READY_TIMEOUT_MS, readied } from "./readiness.ts";
import { launchProcess } from "./server-process.ts";
import { until } from "../../scripts/lib/until.ts";

/** One that asks who its clients are. Nobody but the administrator is known at first. */
export interface GuardedMongod extends AsyncDisposable {
  /** `host:port` */
  readonly address: string;
  /** Runs an administrator's command on a database. */
  admin(database: string, command: Document): Promise<Document>;
}

const ADMINISTRATOR = { user: "administrator", password: "only-of-this-test" };

export async function startGuardedMongod(): Promise<GuardedMongod> {
  const launched = await launchProcess({ binary: "mongod", args: (place) => [...mongodArgs(place), "--auth"] });
  const address = addressOf(launched);
  await readied(launched, () => mongodAnswers(launched), `${address} answers`);
  const run = async (url: string, database: string, command: Document): Promise<Document> => {
    await using client = new MongoClient(url);
    return await client.db(database).command(command);
  };
  const { user, password } = ADMINISTRATOR;
  // Who connects from the same machine may create the first user.
  await run(`mongodb://${address}/`, "admin", { createUser: user, pwd: password, roles: ["root"] });
  return {
    address,
    admin: (database, command) => run(`mongodb://${user}:${password}@${address}/?authSource=admin`, database, command),
    [Symbol.asyncDispose]: () => launched.remove(),
  };
}

/** A primary, a secondary that can be frozen or killed, and an arbiter, so that the primary stays without it. */
export interface ReplicaSet extends AsyncDisposable {
  readonly url: string;
  readonly secondary: Launched;
}

export async function startReplicaSet(): Promise<ReplicaSet> {
  const members: Launched[] = [];
  const remove = async (): Promise<void> => void (await Promise.all(members.map((member) => member.remove())));
  try {
    for (let member = 0; member < 3; member += 1) {
      members.push(
        await launchProcess({ binary: "mongod", args: (place) => [...mongodArgs(place), "--replSet", "rs0"] }),
      );
    }
    const [primary, secondary] = members;
    if (primary === undefined || secondary === undefined) throw new Error("a set needs members");
    await initiate(primary, members);
    const url = `mongodb://${[primary, secondary].map(addressOf).join(",")}/?replicaSet=rs0`;
    return { url, secondary, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function initiate(primary: Launched, members: readonly Launched[]): Promise<void> {
  const [first, second, arbiter] = members.map((member, _id) => ({ _id, host: addressOf(member) }));
  const config = {
    _id: "rs0",
    members: [
      { ...first, priority: 2 },
      { ...second, priority: 0 },
      { ...arbiter, arbiterOnly: true },
    ],
  };
  await using client = new MongoClient(`mongodb://${addressOf(primary)}/?directConnection=true`, {
    serverSelectionTimeoutMS: READY_TIMEOUT_MS,
  });
  const admin = client.db("admin");
  await until(
    () =>
      admin.command({ replSetInitiate: config }).then(
        () => true,
        () => false,
      ),
    { what: "the set is initiated", timeoutMs: READY_TIMEOUT_MS },
  );
  const isWhole = async (): Promise<boolean> => {
    const status = await admin.command({ replSetGetStatus: 1 });
    const states = new Set((status["members"] as { readonly stateStr: string }[]).map(({ stateStr }) => stateStr));
    return ["PRIMARY", "SECONDARY", "ARBITER"].every((state) => states.has(state));
  };
  await until(isWhole, { what: "the set has a primary, a secondary and an arbiter", timeoutMs: READY_TIMEOUT_MS });
}

function addressOf({ host, port }: Pick<Launched, "host" | "port">): string {
  return `${host}:${port}`;
}
