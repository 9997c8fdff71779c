/**
 * The container images of the tests: official tags unless `NATS_IMAGE` and `MONGO_IMAGE` name others.
 *
 * @module
 */

import { getContainerRuntimeClient, ImageName } from "testcontainers";

export interface Images {
  readonly nats: string;
  /** Has `mongosh` in it, and a numeric tag: the MongoDB module's health check needs both. */
  readonly mongo: string;
}

export function images(): Images {
  return {
    nats: process.env["NATS_IMAGE"] ?? "nats:2.15-alpine",
    mongo: process.env["MONGO_IMAGE"] ?? "mongo:8.0",
  };
}

/** Whether containers can be made of the images. */
export type ImageReadiness =
  | { readonly kind: "ready" }
  | { readonly kind: "no-engine"; readonly message: string }
  | { readonly kind: "no-image"; readonly message: string };

/** Pulls the images that the Docker engine does not have. */
export async function ensureImages({ nats, mongo }: Images): Promise<ImageReadiness> {
  const runtime = await getContainerRuntimeClient().catch(() => undefined);
  if (runtime === undefined) return { kind: "no-engine", message: "no Docker engine answers" };
  for (const name of [nats, mongo].map((text) => ImageName.fromString(text))) {
    try {
      if (!(await runtime.image.exists(name))) await runtime.image.pull(name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const advice =
        "offline, run scripts/servers/images.sh and set NATS_IMAGE=nats:local MONGO_IMAGE=local/mongo:6.0.5";
      return { kind: "no-image", message: `the image ${name.string} could not be pulled (${reason}); ${advice}` };
    }
  }
  return { kind: "ready" };
}
