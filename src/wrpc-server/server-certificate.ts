/**
 * The certificate that a replica shows to callers over wRPC, and the authorities whose certificates callers must have.
 *
 * Other programs renew the files, so they are read again while connections come, at most every {@link LOOK_MS}. Where they
 * are half written at that moment, their last valid content counts.
 *
 * @module
 */

import type { CertificateFiles } from "../contract/wrpc-settings.ts";
import type { HostError } from "../errors/host-error.ts";
import { KeptFile } from "../nats/kept-file.ts";
import { secureContextOf } from "../nats/tls.ts";

/** The content of the files. */
export interface CertificateContent {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** How old what was read may be when a connection comes. */
const LOOK_MS = 10_000;

export class ServerCertificate {
  readonly #files: KeptFile<CertificateContent>;
  #content: CertificateContent;
  #lookedMs = performance.now();

  /** Reads the files. Throws `usage-invalid` where they cannot be used; later, `warn` is called instead. */
  constructor({ certFile, keyFile, clientCaFile }: CertificateFiles, warn: (error: HostError) => void) {
    this.#files = new KeptFile({
      what: "one of the files of wrpc.tcp.tls",
      paths: [certFile, keyFile, clientCaFile],
      parse: contentOf,
      warn,
    });
    this.#content = this.#files.current();
  }

  /** What was read last. */
  get content(): CertificateContent {
    return this.#content;
  }

  /** Reads the files again if it is time to. Returns the content where it has changed. */
  renewed(nowMs: number = performance.now()): CertificateContent | undefined {
    if (nowMs - this.#lookedMs < LOOK_MS) return undefined;
    this.#lookedMs = nowMs;
    const before = this.#content;
    this.#content = this.#files.current();
    const { cert, key, ca } = this.#content;
    return cert === before.cert && key === before.key && ca === before.ca ? undefined : this.#content;
  }
}

function contentOf([cert = "", key = "", ca = ""]: readonly string[]): CertificateContent {
  secureContextOf([ca, cert, key]);
  return { cert, key, ca };
}
