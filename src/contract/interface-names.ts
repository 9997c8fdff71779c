/**
 * Names of interfaces as components have them: `namespace:package/interface@version`.
 *
 * @module
 */

/** The contract's version. */
export const CONTRACT_VERSION = "1.0.0";

/** The interface that every plugin exports, without its version. */
export const HANDLER_ID = "local:network-host/handler";

/** The interface that every plugin exports, as a component names it. */
export const HANDLER: string = `${HANDLER_ID}@${CONTRACT_VERSION}`;

/** An interface's name without its version, if it has one. */
export function withoutVersion(interfaceName: string): string {
  return interfaceName.replace(/@.*$/, "");
}
