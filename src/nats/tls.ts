/**
 * TLS to a NATS server: the trusted authorities, the replica's own certificate, and the name that the server's
 * certificate must be for.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate, type SecureContext } from "node:tls";
import type { NodeConnectionOptions } from "nats";
import type { HostError } from "../errors/host-error.ts";
import { KeptFile } from "./kept-file.ts";

/** How TLS is used. Files are PEM, and are read again at each connect. */
export interface NatsTls {
  /** `first`: before the server sends its INFO, as a server with `handshake_first` requires. */
  readonly handshake: "after-info" | "first";
  /** The trusted authorities, in place of Node's own list. */
  readonly caFile?: string;
  /** The client's certificate, with its intermediate certificates, and its key. */
  readonly client?: { readonly certFile: string; readonly keyFile: string };
}

type ClientTls = NonNullable<NodeConnectionOptions["tls"]>;

/**
 * The NATS client's options for TLS. Throws `usage-invalid` for files that cannot be used. Calls `warn` for files that
 * cannot be used at a later connect.
 */
export function clientTls({ handshake, caFile, client }: NatsTls, warn: (error: HostError) => void): ClientTls {
  const options = { handshakeFirst: handshake === "first", checkServerIdentity: checkDialled };
  const paths = [caFile, client?.certFile, client?.keyFile].filter((path) => path !== undefined);
  if (paths.length === 0) return options;
  const files = new KeptFile({
    what: paths.length === 1 ? "the file for TLS to NATS" : "one of the files for TLS to NATS",
    paths,
    parse: (contents) => secureContextOf(caFile === undefined ? [undefined, ...contents] : contents),
    warn,
  });
  return {
    ...options,
    // The client reads this option at each handshake, so certificate and key always come from the same reading.
    get secureContext(): SecureContext {
      return files.current();
    },
  };
}

/**
 * The context of an authorities' file, a certificate's and its key's, as far as they are there. As an authority, Node
 * silently accepts what is not a certificate, and takes an empty text for its own list: here both throw a `TypeError`.
 */
export function secureContextOf([ca, cert, key]: readonly (string | undefined)[]): SecureContext {
  if (ca !== undefined) requireCertificates(ca, "the authorities' file");
  if (cert !== undefined) requireCertificates(cert, "the certificate's file");
  try {
    return createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
    });
  } catch (error) {
    const isPair = error instanceof Error && "code" in error && error.code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH";
    throw new TypeError(
      isPair ? "the key is not that of the certificate" : "the file is not a private key, or the key has a passphrase",
      {
        cause: error,
      },
    );
  }
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function requireCertificates(pem: string, what: string): void {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new TypeError(`${what} holds no certificate in PEM`);
  if (!found.every(isCertificate)) throw new TypeError(`${what} holds a certificate that cannot be read`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/**
 * Where a server is dialled by its IP address, the NATS client passes no host name, and Node would compare the
 * certificate with `localhost`. Node calls this function as a method of the handshake's options, which hold the socket,
 * so it can use the address that was dialled.
 */
function checkDialled(
  this: { readonly servername?: string; readonly socket?: Socket } | undefined,
  hostname: string,
  certificate: PeerCertificate,
): Error | undefined {
  const isAddress = this?.servername === "";
  return checkServerIdentity((isAddress ? this.socket?.remoteAddress : undefined) ?? hostname, certificate);
}
