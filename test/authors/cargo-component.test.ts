/** The example of cargo-component: its recorded component answers; with AUTHORS=1 it is built anew. */

import { dirname } from "node:path";
import { connect } from "nats";
import { expect, inject, test } from "vitest";
import { CARGO_COMPONENT_EXAMPLES, EXAMPLES } from "../../scripts/toolchains/catalogue.ts";
import { INSTALL_CARGO_COMPONENT, installCargoComponent } from "../../scripts/toolchains/cargo-component.ts";
import { digestOf, readDigests } from "../../scripts/toolchains/committed.ts";
import { consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { describeWith } from "./toolchains.ts";
import { createWorkplace } from "./workplace.ts";

test("the recorded component answers over NATS", async () => {
  const plugin = uniqueName("cargo-component");
  const component = projectFile("examples/user-data-cargo-component/user-data-cargo-component.wasm");
  await using replica = await startReplica({
    consumer: consumerFile({ group: "cargo-component", plugins: { [plugin]: component } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
  });
  const nats = await connect({ servers: inject("natsUrl") });
  try {
    const reply = await request(nats, `rpc.${plugin}.append`, "alpha");
    expect([reply.error, reply.status, reply.text]).toEqual([undefined, 200, "Successfully processed"]);
  } finally {
    await nats.close();
  }
  expect(replica.errorOutput).toBe("");
});

// Installing it compiles some 400 crates: `npm run test:authors`.
if (process.env["AUTHORS"] === "1")
  await describeWith(["rust", "cargo-component"], "cargo-component", () => {
    test("builds the example as it is recorded", async () => {
      const digests = await readDigests(EXAMPLES.folder);
      for (const { output, build } of CARGO_COMPONENT_EXAMPLES) {
        const { component, builtWith } = await build();
        const recorded = digests.get(output);
        // Another compiler may make other bytes.
        if (recorded?.builtWith === builtWith) expect(digestOf(component)).toBe(recorded.digest);
        expect(component.length).toBeGreaterThan(10_000);
      }
    });

    test("builds what its page says", async () => {
      const program = await installCargoComponent();
      await using workplace = await createWorkplace({
        path: dirname(program),
        standIns: { [INSTALL_CARGO_COMPONENT]: "cargo component --version" },
      });
      await workplace.follow("docs/write-a-plugin/cargo-component.md");
    });
  });
