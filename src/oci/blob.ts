/**
 * Reads a blob as it arrives, and holds it to its descriptor: neither a byte more than its size, nor less, nor another content.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { HostError } from "../errors/host-error.ts";
import { describeTransportFailure } from "./failures.ts";
import type { Descriptor } from "./manifest.ts";
import { ociDigest } from "./reference.ts";
import type { TransportAnswer } from "./transport.ts";

/** Throws `registry-content-wrong` at the first byte that is too many, or at the end. */
export async function* readBlob(
  answer: TransportAnswer,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { body, url } = answer;
  const wrong = (what: string): HostError =>
    new HostError("registry-content-wrong", `${url.host} sent for ${ociDigest(digest)} ${what}`);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const announced = answer.header("content-length");
    if (announced !== undefined && Number(announced) !== size)
      throw wrong(`${announced} bytes, and the manifest says ${size}`);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > size) throw wrong(`more than the ${size} bytes that the manifest says`);
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw describeTransportFailure(error, url.host, signal);
  } finally {
    // Also where whoever reads has given up.
    body.on("error", () => undefined).destroy();
  }
  if (bytes < size) throw wrong(`${bytes} bytes, and the manifest says ${size}`);
  if (hash.digest("hex") !== digest) throw wrong("something else");
}
