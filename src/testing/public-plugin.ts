/**
 * What `network-host/testing` does: the options of its callers become the same scenes that test files become, by way of the
 * same schema, so that both forms refuse the same mistakes.
 *
 * @module
 */

import { resolve } from "node:path";
import type { TestCase, TestDocument, TestRun } from "../config/test-case.ts";
import { parseTestData } from "../config/test-document.ts";
import { defaultCacheFolder } from "../contract/user-folders.ts";
import { HostError } from "../errors/host-error.ts";
import { checkScene } from "./check-case.ts";
import { LINE_SIGNS } from "./junit.ts";
import type {
  Bytes,
  CallOptions,
  Exchange,
  Level,
  OpenOptions,
  PluginUnderTest,
  Reply,
  Scene as PublicScene,
  SceneOptions,
  SentRequest,
  TextPattern,
} from "./public-types.ts";
import type { Scene } from "./scene.ts";
import { resolveTests } from "./test-files.ts";
import { TestedPlugin, type TestReply } from "./tested-plugin.ts";

/** See `openPlugin`. */
export async function openPublicPlugin(component: string, options: OpenOptions): Promise<PluginUnderTest> {
  const { name, policy, limits, hosts = [], engine = "auto", cacheDir = defaultCacheFolder(process.env) } = options;
  // A file's schema wants a case.
  const document = parse({ plugin: name, policy, limits, cases: [caseOf({}, {})] });
  const file = await resolveTests(document, process.cwd(), resolve(component));
  const opened = await TestedPlugin.open({
    name: file.name,
    componentPath: file.componentPath,
    policy: file.policy,
    hosts,
    limits: document.limits,
    engine,
    cacheDir: resolve(cacheDir),
  });
  return new PublicPlugin(file.name, opened);
}

class PublicPlugin implements PluginUnderTest {
  readonly name: string;
  readonly #plugin: TestedPlugin;

  constructor(name: string, plugin: TestedPlugin) {
    this.name = name;
    this.#plugin = plugin;
  }

  get engine(): "linker" | "jco" {
    return this.#plugin.engine;
  }

  get requested(): readonly Level[] {
    return this.#plugin.requested;
  }

  get unused(): readonly Level[] {
    const { requested, usedLevels } = this.#plugin;
    return requested.filter((level) => usedLevels[level] === 0);
  }

  scene(options: SceneOptions = {}): PublicScene {
    const test = onlyCase(parse({ cases: [caseOf(options, {})] }));
    return new PlayedScene(test, this.#plugin.play(onlyRun(test).scene));
  }

  async call(method: string, payload: Bytes = "", { id, timeoutMs }: CallOptions = {}): Promise<Reply> {
    const test = onlyCase(parse({ cases: [caseOf({}, { method, payload: written(payload), id, timeoutMs })] }));
    const [step] = onlyRun(test).steps;
    if (step === undefined) throw new HostError("internal", "a case without a step was parsed");
    return toReply(await this.#plugin.request(step.request));
  }

  async close(): Promise<void> {
    await this.#plugin[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class PlayedScene implements PublicScene {
  readonly #test: TestCase;
  readonly #scene: Scene;

  constructor(test: TestCase, scene: Scene) {
    this.#test = test;
    this.#scene = scene;
  }

  keys(bucket: string): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#scene.keys.bucket(bucket));
  }

  texts(bucket: string): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.keys(bucket)].map(([key, value]) => [key, Buffer.from(value).toString()]));
  }

  requests(): readonly SentRequest[] {
    return this.#scene.exchanges.had.map(({ index, sent }) => {
      const { method, url, fields, body } = sent();
      const headers = Object.fromEntries(
        fields.map(([name, value]) => [name.toLowerCase(), Buffer.from(value).toString()]),
      );
      return { method, url, headers, body, expected: index !== undefined };
    });
  }

  verify(): void {
    const mismatches = checkScene(this.#test, onlyRun(this.#test), this.#scene, "ended");
    if (mismatches.length === 0) return;
    const lines: string[] = [];
    for (const { what, difference } of mismatches) {
      lines.push(what);
      for (const { kind, text } of difference) lines.push(`  ${LINE_SIGNS[kind]}${text}`);
    }
    throw new Error(lines.join("\n"));
  }
}

/** Options have the mistakes that a file may have, told by the same sentences. */
function parse(data: object): TestDocument {
  const parsed = parseTestData(withoutUndefined(data), "(options)");
  if (parsed.kind === "valid") return parsed.value;
  const lines = parsed.errors.map(({ message }) => message.replaceAll("cases[0].", ""));
  throw new HostError("usage-invalid", lines.join("\n"));
}

function onlyCase({ cases: [test] }: TestDocument): TestCase {
  if (test === undefined) throw new HostError("internal", "a document without a case was parsed");
  return test;
}

function onlyRun({ runs: [run] }: TestCase): TestRun {
  if (run === undefined) throw new HostError("internal", "a case without a run was parsed");
  return run;
}

function caseOf({ keys, store, http }: SceneOptions, request: object): object {
  return {
    name: "a test",
    keys: keys && mapValues(keys, (values) => mapValues(values, (value) => written(value))),
    store,
    http: http?.map(writtenExchange),
    request,
    expect: {},
  };
}

function writtenExchange({ request, response, ...rest }: Exchange): object {
  return {
    ...rest,
    request: {
      ...request,
      headers: request.headers && mapValues(request.headers, writtenPattern),
      body: request.body === undefined ? undefined : written(request.body),
    },
    response: response && {
      ...response,
      body: response.body === undefined ? undefined : written(response.body),
      chunks: response.chunks?.map(written),
    },
  };
}

/** As a test file has it. */
function written(bytes: Bytes): unknown {
  return bytes instanceof Uint8Array ? { base64: Buffer.from(bytes).toString("base64") } : bytes;
}

function writtenPattern(pattern: TextPattern): unknown {
  return typeof pattern === "string" ? pattern : { matches: pattern.source };
}

function mapValues<Value, Result>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

/** A key that is `undefined` is as one that is absent. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, withoutUndefined(inner)]])),
  );
}

function toReply(reply: TestReply): Reply {
  const { id, log } = reply;
  const body = reply.kind === "answer" ? reply.body : new Uint8Array(0);
  const text = Buffer.from(body).toString();
  return {
    id,
    status: reply.kind === "answer" ? reply.status : undefined,
    error:
      reply.kind === "answer"
        ? undefined
        : {
            code: reply.code,
            message: reply.message,
            text: reply.text,
            retryable: reply.isRetryable,
            detail: log.detail,
          },
    body,
    text,
    json: () => JSON.parse(text) as unknown,
    log: log.lines,
  };
}
