// Generated from wit/ by scripts/generate-sdk/typescript.ts; do not edit.
/// <reference path="./local-network-host-handler.d.ts" />
/// <reference path="./local-network-host-key-value-store.d.ts" />
/// <reference path="./local-network-host-logging.d.ts" />
/// <reference path="./local-network-host-types.d.ts" />
/// <reference path="./wasi-clocks-monotonic-clock.d.ts" />
/// <reference path="./wasi-clocks-wall-clock.d.ts" />
/// <reference path="./wasi-http-outgoing-handler.d.ts" />
/// <reference path="./wasi-http-types.d.ts" />
/// <reference path="./wasi-io-error.d.ts" />
/// <reference path="./wasi-io-poll.d.ts" />
/// <reference path="./wasi-io-streams.d.ts" />
/// <reference path="./wasi-random-insecure-seed.d.ts" />
/// <reference path="./wasi-random-insecure.d.ts" />
/// <reference path="./wasi-random-random.d.ts" />
