/**
 * The bytes that a signature in a DSSE envelope signs. Pure.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md#signature-definition
 * @module
 */

/** Pre-authentication encoding: the type and the payload, each with its length, so that neither can pass for the other. */
export function preAuthenticationEncoding(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
