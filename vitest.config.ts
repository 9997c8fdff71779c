import { defineConfig } from "vitest/config";

/**
 * How long a test may take and wait. They bound what hangs, so they are far beyond what a machine needs that is several
 * times slower than usual, and stands still for seconds: what a test has to say about time it measures itself.
 */
const POLL = { timeout: 30_000 };
const UNIT = { testTimeout: 90_000, hookTimeout: 90_000, expect: { poll: POLL } };
const WITH_SERVERS = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: POLL } };

/** Toolchains compile standard libraries and install packages: minutes, where nothing is kept from before. */
const WITH_TOOLCHAINS = { testTimeout: 1_200_000, hookTimeout: 1_200_000, expect: { poll: POLL } };

/**
 * Seven projects: `unit` needs nothing but Node; `conformance` holds both engines to the specification and to each
 * other, and needs the toolchains that its components are built with; `integration` needs real servers, which the global set-up
 * brings up (Testcontainers, or local binaries where there is no Docker daemon); `adversarial` needs the same and
 * attacks a replica in the ways that SECURITY.md says it withstands. `jco` is what of both depends on the engine, once
 * more on the one that is not the default; `audited` is the conformance of languages once more, with a look at every
 * instance that was put back. `authors` does what plugin authors do with the packages of `sdk/` and the packed command, in
 * empty folders: what is cheap at each run, the rest with AUTHORS=1.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "sdk/*/test/**/*.test.ts"],
          ...UNIT,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          ...UNIT,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "audited",
          include: ["test/conformance/languages/*.test.ts"],
          env: { AUDIT: "1" },
          ...UNIT,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/harness/global-setup.ts"],
          ...WITH_SERVERS,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "adversarial",
          include: ["test/adversarial/**/*.test.ts"],
          globalSetup: ["test/harness/global-setup.ts"],
          ...WITH_SERVERS,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "authors",
          include: ["test/authors/**/*.test.ts"],
          globalSetup: ["test/harness/global-setup.ts"],
          ...WITH_TOOLCHAINS,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "jco",
          include: [
            ...["run", "grants", "egress"].map((name) => `test/adversarial/${name}.test.ts`),
            ...["user-data", "egress"].map((name) => `test/integration/${name}.test.ts`),
          ],
          env: { ENGINE: "jco" },
          globalSetup: ["test/harness/global-setup.ts"],
          ...WITH_SERVERS,
          fileParallelism: false,
        },
      },
    ],
  },
});
