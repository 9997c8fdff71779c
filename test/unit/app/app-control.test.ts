import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startControl } from "../../../src/app-control.ts";
import type { ControlHandlers } from "../../../src/control/server.ts";
import { remembering } from "./remembering-logger.ts";

const HANDLERS: ControlHandlers = {
  identify: () => ({ id: "r", group: "g", pid: 1, version: "1", started: "" }),
  status: () => Promise.reject(new Error("not asked in this test")),
  reload: () => Promise.reject(new Error("not asked in this test")),
};

describe("a control folder that cannot be used", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "control-"));
    await chmod(folder, 0o777);
  });

  afterEach(() => rm(folder, { recursive: true }));

  test("is refused where the operator named it", async () => {
    const { logger } = remembering();
    const opened = startControl({ folder, chosen: "by-operator" }, HANDLERS, logger);
    await expect(opened).rejects.toMatchObject({ code: "usage-invalid" });
  });

  test("is done without, with a warning, where it is the default", async () => {
    const { logger, lines } = remembering();
    expect(await startControl({ folder, chosen: "by-default" }, HANDLERS, logger)).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^warn: there is no control socket/)]);
  });

  test("is not looked for where there is to be none", async () => {
    const { logger, lines } = remembering();
    expect(await startControl(undefined, HANDLERS, logger)).toBeUndefined();
    expect(lines).toEqual([]);
  });
});
