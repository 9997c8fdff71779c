import { describe, expect, test } from "vitest";
import { readProjectFile } from "../../../scripts/generated-file.ts";
import { generateSchemas } from "../../../scripts/generate-schemas.ts";
import { publishedSchemas } from "../../../src/config/published-schemas.ts";

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: boolean | Node;
}

function* properties(node: Node, path: string): Iterable<readonly [string, Node]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${name}`, child];
    yield* properties(child, `${path}.${name}`);
  }
  if (node.items !== undefined) yield* properties(node.items, `${path}[]`);
}

describe("the published schemas", () => {
  test("are those that scripts/generate-schemas.ts writes", async () => {
    for (const [file, text] of await generateSchemas()) {
      expect(await readProjectFile(file), `${file}: run node scripts/generate-schemas.ts`).toBe(text);
    }
  });

  test.each([...publishedSchemas()])("%s describes every key for editors and closes every map", (name, schema) => {
    const nodes = [...properties(schema, name)];
    expect(nodes.length).toBeGreaterThan(10);
    for (const [path, node] of nodes) {
      expect(node.description, path).toMatch(/^[A-Z].*\.$/);
      if (node.properties !== undefined) expect(node.additionalProperties, path).toBe(false);
    }
    expect((schema as Node).additionalProperties).toBe(false);
  });
});
