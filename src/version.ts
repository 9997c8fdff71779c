import { readFileSync } from "node:fs";

let version: string | undefined;

/** This program's version, from its package.json. */
export function programVersion(): string {
  if (version === undefined) {
    const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
    ({ version } = JSON.parse(text) as { version: string });
  }
  return version;
}
