/**
 * Which test shows that a limit holds: for docs/limits.md. A limit that is missing here fails the type check, and a
 * test checks that each sentence is one of its file.
 *
 * @module
 */

import type { COMPONENT_LIMIT_ROWS } from "../src/contract/component-limits.ts";
import type { GUEST_LIMIT_ROWS } from "../src/contract/guest-limits.ts";
import type { FIXED_LIMIT_ROWS, PLUGIN_LIMITS, REPLICA_LIMITS } from "../src/contract/limits.ts";

/** A test by its file below test/ and a part of its name as it stands there, or none so far. */
export type LimitTest = { readonly file: string; readonly sentence: string } | "none";

type LimitTests<Table> = Readonly<Record<keyof Table, LimitTest>>;

function proven(file: string, sentence: string): LimitTest {
  return { file, sentence };
}

export const PLUGIN_LIMIT_TESTS: LimitTests<typeof PLUGIN_LIMITS> = {
  payloadBytes: proven("integration/replies", "payload-too-large: the limit's last byte is taken, the next one is not"),
  replyBytes: proven("integration/replies", "reply-too-large: the limit's last byte is sent, the next one is not"),
  keyBytes: proven("unit/capabilities/key-value/gate", "of exactly the limit are allowed"),
  valueBytes: proven("unit/capabilities/key-value/gate", "beyond the limit are refused, and the store sees nothing"),
  memoryBytes: proven("adversarial/run", "beyond the cap is refused to the guest, which may go on"),
  runnerMemoryBytes: proven("integration/containment", "memory beyond the limit of its process ends it"),
  runners: proven("unit/supervisor/process-pool/plugin-runner", "gets further processes, up to its number"),
  idleMs: proven("unit/supervisor/process-pool/plugin-runner", "it becomes when it was idle for long enough"),
  deadlineMs: proven("adversarial/run", "an infinite loop is answered within its deadline and 250 ms"),
  concurrency: proven("integration/replies", "overloaded: said at once, with a hint, while the places are taken"),
  logBytes: proven("adversarial/run", "of 100 MB is capped, and what is dropped is counted"),
  httpConcurrency: proven("unit/capabilities/outbound-http/gate", "keeps its place until the connection is released"),
  httpHeaderBytes: proven("unit/capabilities/outbound-http/gate", "refuses header fields beyond the limit"),
  httpRequestBytes: proven(
    "unit/capabilities/outbound-http/gate",
    "ends a request whose body is longer than the limit",
  ),
  httpResponseBytes: proven(
    "unit/capabilities/outbound-http/gate",
    "ends a response whose body is longer than the limit",
  ),
  httpFirstByteMs: proven("unit/egress/undici", "that does not begin, or falls silent, is given up"),
  httpTotalMs: proven("unit/capabilities/outbound-http/gate", "ends in time for the plugin to answer"),
};

export const REPLICA_LIMIT_TESTS: LimitTests<typeof REPLICA_LIMITS> = {
  concurrency: proven("unit/consumer/admission", "gives places up to the replica's limit over all plugins"),
  drainMs: proven("integration/lifecycle", "when the grace is over the rest is answered with draining"),
  eagerPlugins: proven("integration/fleet", "starts no process before a request"),
  componentBytes: proven(
    "unit/registry/plugin-source",
    "of exactly the size that is allowed is read, one byte more is not",
  ),
  compileMs: proven("unit/compiler/compile", "ends at its time limit"),
};

export const FIXED_LIMIT_TESTS: LimitTests<typeof FIXED_LIMIT_ROWS> = {
  wrpcConnections: proven("unit/wrpc-server/server", "beyond the bound of the replica are closed at once and counted"),
  wrpcPluginConnections: proven(
    "unit/wrpc-server/server",
    "beyond the bound of a plugin are closed at once and counted",
  ),
  wrpcHandshakeMs: proven("unit/wrpc-server/tls", "closes a connection whose handshake does not end"),
  wrpcParametersMs: proven("unit/wrpc-server/server", "whose parameters trickle in is closed when its time is over"),
  wrpcReplyMs: proven("unit/wrpc-server/server", "that does not read its result is closed when its time is over"),
  wrpcLingerMs: proven("unit/wrpc-server/server", "that stays open after its result is closed"),
  wrpcFrames: proven("unit/wrpc-server/server", "of endless empty frames is closed"),
  wrpcParameterBytes: proven("unit/wrpc-server/server", "is refused while too many parameters have arrived in part"),
  wrpcPluginParameterBytes: proven(
    "unit/wrpc-server/server",
    "is refused while too many parameters of the plugin have arrived in part",
  ),
  wrpcOpenParameters: proven("unit/wrpc-server/nats-source", "of a plugin are waited for, and of all plugins together"),
  wrpcPluginOpenParameters: proven(
    "unit/wrpc-server/nats-source",
    "of a bounded number of calls of a plugin are waited for",
  ),
  wrpcPluginAwaitedBytes: proven("unit/wrpc-server/nats-source", "that are large are asked for in turn"),
  wrpcParametersPauseMs: proven("unit/wrpc-server/nats-source", "that pause for too long are refused"),
  wrpcReplySubjectLength: proven("unit/wrpc-server/nats-source", "that no reply can be sent to is dropped"),
  wrpcReplyBytes: proven("unit/wrpc-server/server", "is given up while too many results wait"),
  wrpcPluginReplyBytes: proven("unit/wrpc-server/server", "is given up while too many results of the plugin wait"),
  cacheBytes: proven("unit/registry/cache-room", "removes what was used longest ago when more is stored"),
  cacheKeepMs: proven("unit/registry/cache-room", "is marked again before its mark is too old"),
  artifactBytes: proven("unit/compiler/compile", "ends at its output limit"),
  loadMs: proven("adversarial/load", "that never ends is a load time-out"),
  probeMs: proven("adversarial/grants", "probe-failed, and requests are answered at once"),
  unresponsiveMs: proven("integration/containment", "a guest that cannot be stopped alone is ended within 250 ms"),
  silentMs: proven("unit/supervisor/process/watchdog", "does not wait for ever for a runner that gets no processor"),
  instanceMs: proven("unit/supervisor/process/making-allowance", "is allowed for one instance of a request"),
  idleComputeMs: proven("adversarial/beyond", "its process is ended, though no request waits for it"),
  headerBytes: proven("unit/consumer/decode", "refuses headers beyond their limit without reading them"),
  heldReplyBytes: proven("integration/nats/replies", "that nobody waits for any more, or that there is no room for"),
  memoryWatchMs: proven("integration/containment", "memory beyond the limit of its process ends it"),
  runnerBacklogBytes: proven("unit/supervisor/process/runner-process", "that does not read has requests refused"),
  runnerWriteBytes: proven(
    "unit/capabilities/key-value/guest-link",
    "wait in the process while as much is on its way as may be",
  ),
  runnerReadBytes: proven(
    "unit/capabilities/key-value/read-window",
    "never bring more than the bound once large values were seen",
  ),
  runnerValueBytes: proven("unit/supervisor/process/runner-process", "that writes more at a time than the host holds"),
  circuitFailures: proven("unit/supervisor/process-pool/plugin-runner", "opens at the fifth end in a row"),
  storeOperationMs: proven("unit/capabilities/key-value/gate", "of a request with %i ms left gives the store %i ms"),
  storeLookMs: proven("unit/kv/store-watch", "does not wait longer for it than for a read"),
  storeOwnWriteIntervalMs: proven("unit/kv/store-watch", "is made once in a while, however often somebody looks"),
  storeOwnWriteMs: proven("unit/kv/store-watch", "that is not answered in its time is a failure"),
  storeBatchOperations: proven("unit/kv/fair-queue", "in batches within their bounds, whatever the sizes"),
  storeBatchBytes: proven("unit/kv/fair-queue", "in batches within their bounds, whatever the sizes"),
  storeBatches: proven("unit/kv/coalescing-store", "grow while one is in flight, and are never more than may be"),
  storeBatchWaitMs: proven("unit/kv/coalescing-store", "do not wait long for one that takes its time"),
  storeQueueOperations: proven("unit/kv/coalescing-store", "is refused what its queue has no room for"),
  storeQueueBytes: proven("unit/kv/coalescing-store", "of large values is refused beyond its bytes"),
  storeQueueTotalBytes: proven("unit/kv/coalescing-store", "and all together beyond theirs"),
  httpConnectMs: proven("unit/egress/undici", "that is looked up for too long is given up"),
  httpAddresses: proven("unit/egress/dial", "are tried up to a number"),
  httpIdleMs: proven("unit/egress/undici", "is kept for a little while, and no longer"),
  httpOrigins: proven("unit/egress/undici", "is kept to so many origins, and to no more"),
  httpRequests: proven("unit/runner/guest-exchange", "are no more than a limit in one call, given up or not"),
  httpWindowBytes: proven("unit/egress/undici", "without end is read at the reader's pace, a window ahead at most"),
  logLines: proven("unit/capabilities/logging/plugin-log", "bounds the number of lines too"),
  logLinesPerSecond: proven(
    "unit/capabilities/logging/plugin-log",
    "of all its requests together is bounded in lines a second",
  ),
  logBytesPerSecond: proven(
    "unit/capabilities/logging/plugin-log",
    "of all its requests together is bounded in bytes a second",
  ),
  refusalsLoggedPerSecond: proven("unit/consumer/refusal-log", "are written up to a rate"),
  usedTargets: proven("unit/telemetry/target-counts", "the first few by name and the others by number"),
  configFileBytes: proven(
    "unit/config/text-file",
    "takes a file of exactly the largest size and refuses one byte more",
  ),
  configDepth: proven("unit/config/yaml-text", "nested beyond measure are refused without exhausting the stack"),
  consumerFileBytes: proven("unit/config/text-file", "takes as much as the caller allows"),
  consumerPlugins: proven("unit/config/consumer-document", "takes as many plugins as allowed and no more"),
  watchedFiles: proven("unit/registry/file-watcher", "beyond its number reports changes by their folders"),
  policyFiles: proven("unit/config/policy-folder", "takes as many files as allowed and no more"),
  registryConnectMs: proven("unit/oci/bounds", "that does not finish the TLS handshake"),
  registryAnswerMs: proven("unit/oci/bounds", "that falls silent before or in its answer"),
  registryDocumentMs: proven("unit/oci/bounds", "that trickles a manifest"),
  registryBlobMs: proven("unit/oci/bounds", "that trickles a component"),
  registryStartMs: proven(
    "unit/registry/remote-components",
    "a start waits for the next one a short time, and that changes the link when it is done",
  ),
  componentKeepMs: proven("unit/registry/component-store", "of a consumer file that is gone are kept for a while"),
  registryDocumentBytes: proven("unit/oci/lies", "sends a manifest without an end is refused at the bound"),
  registryTokenBytes: proven("unit/oci/lies", "answers with an error without an end is reported as that"),
  registryRedirects: proven("unit/oci/lies", "redirects in a circle is given up"),
  registryConnections: proven("unit/oci/bounds", "is asked on a number of connections at a time"),
  registryListEntries: proven("unit/oci/lies", "never ends a list is refused"),
  registryTokens: proven("unit/oci/bounds", "has its oldest token fetched again"),
  credentialHelperMs: proven("unit/oci/docker-config", "is an error without what it printed"),
  signaturesExamined: proven("unit/oci/signature-search", "of a huge list are looked at up to a number"),
  signatureBytes: proven(
    "unit/oci/signature-search",
    "of exactly the largest size counts, and one that is larger does not",
  ),
  signatureSearchMs: proven("unit/oci/signature-search", "that says nothing is asked for a time and no longer"),
  signatureKeys: proven("unit/config/policy-signatures", "takes as many keys as allowed and no more"),
  testFileBytes: proven("unit/testing/test-files", "of exactly the largest size is read, and one byte more is not"),
  testFiles: proven("unit/testing/test-files", "takes as many files as allowed and no more"),
  testCases: proven("unit/config/test-document", "has as many cases as allowed and no more"),
  testRuns: proven("unit/config/test-document", "counts each run of a file's cases"),
  testValueBytes: proven("unit/config/test-document", "of exactly the largest size is taken, and one byte more is not"),
  testLogLines: proven("unit/testing/captured-log", "keeps as many lines of a request as allowed, and counts the rest"),
};

export const COMPONENT_LIMIT_TESTS: LimitTests<typeof COMPONENT_LIMIT_ROWS> = {
  coreModules: proven("unit/compiler/gate-limits", "900 core modules"),
  components: proven("unit/compiler/gate-limits", "many components"),
  instances: proven("unit/compiler/gate-limits", "where it doubles itself at every level of nesting"),
  coreExterns: proven("unit/compiler/gate-limits", "many imports and exports of core modules"),
  types: proven("unit/compiler/gate-limits", "many types"),
  memories: proven("unit/compiler/gate-limits", "by what it instantiates, however little it defines"),
  initialMemoryBytes: proven("unit/compiler/gate-limits", "too much memory in all"),
  tables: proven("unit/compiler/gate-limits", "many tables"),
  tableElements: proven("unit/compiler/gate-limits", "a huge table"),
  initialTableElements: proven("unit/compiler/gate-limits", "large tables in all"),
  imports: proven("unit/compiler/gate-limits", "many imports"),
  exports: proven("unit/compiler/gate-limits", "many exports"),
  componentNesting: proven("unit/component/read-component", "components nested to the limit are read"),
  typeNesting: proven("unit/component/read-component", "types nested to the limit are read"),
  typeParts: proven("unit/component/scope", "the same inside of an instance's type is refused"),
  nameBytes: proven("unit/component/byte-reader", "a name of more than the limit is refused before it is read"),
  items: proven("unit/component/byte-reader", "the items of one file are counted over all its parts"),
};

export const GUEST_LIMIT_TESTS: LimitTests<typeof GUEST_LIMIT_ROWS> = {
  openHandles: proven("adversarial/run", "a million open handles"),
  randomBytes: proven("adversarial/run", "get-random-bytes(2^31)"),
  polledHandles: proven("unit/runner/differential/departures", "length: 1_025 }, () => pollable"),
  httpFields: proven("unit/runner/http", "traps where fields are too many or too large"),
};
