/**
 * The guest side of outbound HTTP.
 *
 * @module
 */

import type { GuestSide } from "../../guest-side.ts";
import { OUTBOUND_HTTP } from "../definition.ts";
import type { HttpToGuest } from "../messages.ts";
import { createHttpTypes, createOutgoingHandler } from "./http.ts";
import { HttpLink, type OutboundHttpPort } from "./link.ts";

export const OUTBOUND_HTTP_GUEST: GuestSide<HttpToGuest, OutboundHttpPort> = {
  capability: OUTBOUND_HTTP.name,
  interfaces: { "wasi:http/types": createHttpTypes, "wasi:http/outgoing-handler": createOutgoingHandler },
  link: {
    denied: { open: () => "HTTP-request-denied" },
    open: (send) => new HttpLink(send),
  },
};
