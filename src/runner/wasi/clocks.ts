/**
 * `wasi:clocks/wall-clock`, with a resolution of a millisecond. The monotonic clock is in `poll.ts`.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-clocks-wall-clock";
import { type Namespace, namespace } from "../guest/namespaces.ts";
import type { Functions } from "./published-types.ts";
import { NS_PER_MS } from "../../contract/time-units.ts";

export const wallClock: Namespace = namespace({
  now() {
    const ms = Date.now();
    return { seconds: BigInt(Math.floor(ms / 1000)), nanoseconds: (ms % 1000) * NS_PER_MS };
  },
  resolution: () => ({ seconds: 0n, nanoseconds: NS_PER_MS }),
} satisfies Functions<typeof Published>);
