/**
 * How this program names itself to servers.
 *
 * @module
 */

import { programVersion } from "../version.ts";

/** As RFC 9110 has it: a product and its version. */
export function programUserAgent(): string {
  return `network-host/${programVersion()}`;
}
