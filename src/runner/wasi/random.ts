/**
 * `wasi:random`: cryptographically secure bytes for all three interfaces, the insecure ones included, within the context's
 * budget.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import type * as PublishedInsecure from "@bytecodealliance/preview2-shim/interfaces/wasi-random-insecure";
import type * as PublishedSeed from "@bytecodealliance/preview2-shim/interfaces/wasi-random-insecure-seed";
import type * as PublishedRandom from "@bytecodealliance/preview2-shim/interfaces/wasi-random-random";
import type { GuestContext } from "../guest/guest-context.ts";
import { expectU64 } from "../guest/guest-values.ts";
import { type Namespace, namespace } from "../guest/namespaces.ts";
import type { Functions } from "./published-types.ts";

const U64_BYTES = 8n;

function drawBytes(context: GuestContext, length: unknown): Uint8Array {
  return randomBytes(context.drawRandom(expectU64(length)));
}

function drawU64(context: GuestContext): bigint {
  return randomBytes(context.drawRandom(U64_BYTES)).readBigUInt64LE();
}

export function createRandom(context: GuestContext): Namespace {
  return namespace({
    getRandomBytes: (length: unknown) => drawBytes(context, length),
    getRandomU64: () => drawU64(context),
  } satisfies Functions<typeof PublishedRandom>);
}

export function createInsecure(context: GuestContext): Namespace {
  return namespace({
    getInsecureRandomBytes: (length: unknown) => drawBytes(context, length),
    getInsecureRandomU64: () => drawU64(context),
  } satisfies Functions<typeof PublishedInsecure>);
}

export function createInsecureSeed(context: GuestContext): Namespace {
  return namespace({
    insecureSeed: () => [drawU64(context), drawU64(context)] as [bigint, bigint],
  } satisfies Functions<typeof PublishedSeed>);
}
