/**
 * Certificates for TLS on loopback, made anew for each test: X.509 as RFC 5280 has it, no more of it than a server needs.
 *
 * @module
 */

import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  /** Of itself its own authority. */
  readonly cert: string;
  readonly key: string;
}

const OID = {
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
} as const;

const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, time: 0x18 } as const;
const SEQUENCE = 0x30;
const SET = 0x31;

/** One for these names and IPv4 addresses, signed by itself. */
export function createCertificate(hosts: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, der(TAG.oid, OID.ecdsaWithSha256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(TAG.oid, OID.commonName), der(TAG.utf8, Buffer.from("test")))));
  const body = der(
    SEQUENCE,
    der(0xa0, der(TAG.integer, [2])),
    der(TAG.integer, [1]),
    algorithm,
    name,
    der(SEQUENCE, time("20200101000000Z"), time("20991231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      der(
        SEQUENCE,
        extension(OID.basicConstraints, der(SEQUENCE, der(TAG.boolean, [0xff]))),
        extension(OID.subjectAltName, der(SEQUENCE, ...hosts.map(alternativeName))),
      ),
    ),
  );
  const whole = der(SEQUENCE, body, algorithm, der(TAG.bits, [0], sign("sha256", body, privateKey)));
  const lines = whole.toString("base64").replace(/(.{64})/g, "$1\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, host.split(".").map(Number)) : der(0x82, Buffer.from(host));
}

function extension(oid: readonly number[], value: Buffer): Buffer {
  return der(SEQUENCE, der(TAG.oid, oid), der(TAG.octets, value));
}

function time(text: string): Buffer {
  return der(TAG.time, Buffer.from(text));
}

/** A tag, a length and what it is the length of. */
function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}
