import { expect, test } from "vitest";
import { extismContender } from "../../../bench/contenders/extism.ts";
import { JOBS } from "../../../bench/jobs/jobs.ts";

const LANGUAGES = ["typescript", "python", "plugin-go", "plugin-starling"] as const;

test.each(LANGUAGES)("%s does the work of kv: the same values on the same keys, which do not grow", (name) => {
  const { work, method, store, grows, load } = JOBS[name];
  expect({ work, method, store, grows, load }).toEqual({
    work: JOBS.kv.work,
    method: JOBS.kv.method,
    store: JOBS.kv.store,
    grows: false,
    load: JOBS.kv.load,
  });
  expect(load).toMatchObject({ kind: "kv", bytes: 64, keys: 1_000 });
});

test("each language has a plugin of its own", () => {
  const components = [JOBS.kv, ...LANGUAGES.map((name) => JOBS[name])].flatMap((job) => job.components);
  expect(new Set(components).size).toBe(LANGUAGES.length + 1);
});

test("Extism takes no part where the plugin's language is what is measured", () => {
  const extism = extismContender("extism", "pooled");
  expect(extism.refuses(JOBS.kv, "mongodb")).toBeUndefined();
  expect(extism.refuses(JOBS["plugin-go"], "mongodb")).toMatch(/no plugin of its own/);
});
