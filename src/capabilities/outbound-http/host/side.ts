/**
 * The host side of outbound HTTP.
 *
 * @module
 */

import type { HostSide } from "../../host-side.ts";
import { OUTBOUND_HTTP } from "../definition.ts";
import type { HttpToHost } from "../messages.ts";
import { HttpGate } from "./gate.ts";
import { HttpLink } from "./link.ts";

export const OUTBOUND_HTTP_HOST: HostSide<HttpToHost, HttpGate> = {
  capability: OUTBOUND_HTTP.name,
  openLink: (parts) => new HttpLink(parts),
  createGate: (parts) => new HttpGate(parts),
};
