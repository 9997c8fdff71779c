import { expect, test } from "vitest";
import { readWitFiles } from "../../../src/cli/wit-files.ts";
import { INTERFACES } from "../../../src/contract/generated/interfaces.ts";
import { linkedWorld, withLaterFunctions } from "../../../src/contract/linked-world.ts";

const HANDLER = "local:network-host/handler";

test("the world names every interface that the gate lets in, in each release, and exports the handler", async () => {
  const [world = ""] = linkedWorld(await readWitFiles()).split("\n}\n");
  const imports = [...world.matchAll(/^ {2}import ([^@;]+)@([^;]+);$/gm)].map(([, id = "", version = ""]) => ({
    id,
    version,
  }));
  const ids = new Set(imports.map(({ id }) => id));
  expect([...ids].sort()).toEqual(
    Object.keys(INTERFACES)
      .filter((id) => id !== HANDLER)
      .sort(),
  );
  const releases = Array.from({ length: 13 }, (_, patch) => `0.2.${patch}`);
  for (const id of ids)
    expect(imports.filter((one) => one.id === id).map(({ version }) => version)).toEqual(
      id.startsWith("local:") ? ["1.0.0"] : releases,
    );
  expect(world).toContain(`  export ${HANDLER}@1.0.0;`);
});

test("what later releases added is refused where the text has changed that it goes into", async () => {
  const files = await readWitFiles();
  expect(withLaterFunctions(files).get("deps/cli/exit.wit")).toContain("exit-with-code");
  expect(() => withLaterFunctions(new Map(files).set("deps/cli/exit.wit", ""))).toThrow("deps/cli/exit.wit");
});
