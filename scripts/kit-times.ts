/**
 * `node scripts/kit-times.ts <packed packages> [language...]`: how long an author waits, with the built command and by hand,
 * in turns on the same machine: from an empty folder to the first reply, and from a save to the changed reply. Medians of
 * some rounds; beside each time is the processor time that the commands and what they have waited for took.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { measureByHand } from "./kit-times/by-hand.ts";
import { type AuthorsLanguage, LANGUAGES } from "./kit-times/languages.ts";
import { type AuthorsTimes, median, type Times } from "./kit-times/measuring.ts";
import { measureWithKit } from "./kit-times/with-kit.ts";

/** The median of an odd number is one that was measured. */
const ROUNDS = 3;

const WAYS = { "by hand": measureByHand, "with the kit": measureWithKit } as const;
type Way = keyof typeof WAYS;

const [packages, ...named] = process.argv.slice(2);
if (packages === undefined || named.some((name) => LANGUAGES[name] === undefined)) {
  console.error(`usage: node scripts/kit-times.ts <packed packages> [${Object.keys(LANGUAGES).join("|")}]...`);
  process.exitCode = 2;
} else {
  const day = new Date().toISOString().slice(0, 10);
  console.log(`${day}, medians of ${ROUNDS} rounds: elapsed (processor time)\n`);
  console.log("| language | first reply, by hand | with the kit | changed reply, by hand | with the kit | load |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const [name, language] of Object.entries(LANGUAGES))
    if (named.length === 0 || named.includes(name)) console.log(await rowOf(name, language, resolve(packages)));
}

async function rowOf(name: string, language: AuthorsLanguage, sdk: string): Promise<string> {
  const measured: Record<Way, AuthorsTimes[]> = { "by hand": [], "with the kit": [] };
  const loads: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // In turns, each first in some rounds: what else the machine does then meets both.
    const ways = Object.keys(WAYS) as Way[];
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      const times = await inFolder((folder) => WAYS[way](name, language, sdk, folder));
      loads.push(loadavg()[0] ?? 0);
      measured[way].push(times);
      console.error(`${name}, ${way}: ${textOf([times.first])}, ${textOf([times.change])}`);
    }
  }
  const cells = (["first", "change"] as const).flatMap((what) =>
    (["by hand", "with the kit"] as const).map((way) => textOf(measured[way].map((times) => times[what]))),
  );
  return `| ${[name, ...cells, median(loads).toFixed(1)].join(" | ")} |`;
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "kit-times-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function textOf(times: readonly Times[]): string {
  const seconds = (of: (each: Times) => number): string => median(times.map(of)).toFixed(1);
  return `${seconds(({ wallS }) => wallS)} s (${seconds(({ processorS }) => processorS)} s)`;
}
