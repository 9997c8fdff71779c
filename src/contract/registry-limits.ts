/**
 * Bounds of what the host asks of component registries.
 *
 * @module
 */

import { type FixedLimitRow, KIB, MIB } from "./limit-row.ts";

export const REGISTRY_LIMIT_ROWS = {
  registryConnectMs: {
    value: 10_000,
    unit: "ms",
    summary: "Name look-up, connect and TLS handshake with a component registry; then it is registry-unreachable.",
    enforcedIn: "oci/dispatchers",
  },
  registryAnswerMs: {
    value: 30_000,
    unit: "ms",
    summary:
      "Silence of a component registry before its response and between the bytes of one; then it is registry-unreachable.",
    enforcedIn: "oci/dispatchers",
  },
  registryDocumentMs: {
    value: 60_000,
    unit: "ms",
    summary:
      "One exchange about a manifest, a list or a token, with all its redirects; then it is registry-unreachable.",
    enforcedIn: "oci/client",
  },
  registryBlobMs: {
    value: 10 * 60_000,
    unit: "ms",
    summary: "The transfer of one component to or from a registry; then it is registry-unreachable.",
    enforcedIn: "oci/client",
  },
  registryStartMs: {
    value: 5_000,
    unit: "ms",
    summary:
      "How long a load that has its component waits to be told whether the tag stands for another one, and for that one; then the component that is there is loaded.",
    enforcedIn: "registry/remote-components",
  },
  componentKeepMs: {
    value: 30 * 24 * 60 * 60_000,
    unit: "ms",
    summary:
      "How long the components of a consumer file that is gone are kept after a replica last used that file; those of a file that is there are never removed.",
    enforcedIn: "registry/component-store",
  },
  registryDocumentBytes: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "One manifest or list of a component registry; a larger one is registry-content-wrong.",
    enforcedIn: "oci/client",
  },
  registryTokenBytes: {
    value: 64 * KIB,
    unit: "bytes",
    summary: "A registry's token answer, the text of one of its errors, and what a credential helper prints.",
    enforcedIn: "oci/transport, oci/credential-helper",
  },
  registryRedirects: {
    value: 5,
    unit: "count",
    summary: "Redirects that one exchange with a component registry follows; then it is registry-redirect-refused.",
    enforcedIn: "oci/transport",
  },
  registryConnections: {
    value: 8,
    unit: "count",
    summary: "Connections to one component registry at a time; further exchanges wait for one.",
    enforcedIn: "oci/dispatchers",
  },
  registryListEntries: {
    value: 10_000,
    unit: "count",
    summary: "Tags or referrers of one list of a component registry; a longer one is registry-content-wrong.",
    enforcedIn: "oci/client",
  },
  registryTokens: {
    value: 1_024,
    unit: "count",
    summary: "Tokens and credentials of registries that a host keeps; beyond it the oldest is fetched again.",
    enforcedIn: "oci/authorization",
  },
  signaturesExamined: {
    value: 64,
    unit: "count",
    summary:
      "Manifests that refer to a component, and signatures of it, that are looked at; what comes after them counts as absent.",
    enforcedIn: "oci/signature-search",
  },
  signatureBytes: {
    value: 256 * KIB,
    unit: "bytes",
    summary: "One signature in a component registry; a larger one does not count.",
    enforcedIn: "oci/signature-search",
  },
  signatureSearchMs: {
    value: 60_000,
    unit: "ms",
    summary: "The search for a component's signatures in its registry; then it is registry-unreachable.",
    enforcedIn: "oci/signature-search",
  },
  signatureKeys: {
    value: 16,
    unit: "count",
    summary: "Keys that one policy, or one run of network-host verify, names; more are refused.",
    enforcedIn: "config/policy-document, cli/verify",
  },
  credentialHelperMs: {
    value: 10_000,
    unit: "ms",
    summary: "One run of a Docker credential helper; then it is ended, and the answer is registry-denied.",
    enforcedIn: "oci/credential-helper",
  },
} as const satisfies Record<string, FixedLimitRow>;
