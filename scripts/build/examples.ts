import { buildTypeScriptExample } from "../toolchains/quickjs.ts";

/** Builds the example plugin in TypeScript, unless it is up to date. The others are in the repository, built. */
export async function buildExamples(): Promise<void> {
  await buildTypeScriptExample((line) => console.log(line));
}
