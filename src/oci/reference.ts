/**
 * References to artifacts of a registry: `oci://host[:port]/repository:tag` or `…@sha256:<hex>`. Pure.
 *
 * The grammar is the one of the distribution specification. A reference without a host is refused: there is no default
 * registry, so that a typing mistake never becomes a name on somebody else's.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 * @module
 */

import { type Digest, isDigest } from "../contract/names.ts";
import { MAX_PORT } from "../policy/allowed-host.ts";

/** One repository of one registry. */
export interface OciRepository {
  /** `host` or `host:port`, in lower case. */
  readonly host: string;
  readonly repository: string;
}

/** A manifest in a repository: by digest if there is one, else by tag. */
export interface OciReference extends OciRepository {
  readonly tag: string | undefined;
  /** SHA-256 of the manifest. */
  readonly digest: Digest | undefined;
}

export const OCI_SCHEME = "oci://";

const HOST =
  /^(?=.{1,260}$)(?:localhost|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^(?=.{1,255}$)${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Why a text is not a reference: a part of a sentence, with what to write. */
export interface ReferenceProblem {
  readonly kind: "problem";
  readonly problem: string;
}

export type ParsedReference = { readonly kind: "reference"; readonly reference: OciReference } | ReferenceProblem;

/** Reads a reference, with or without `oci://`. What has neither a tag nor a digest is a repository; see `parseRepository`. */
export function parseReference(text: string): ParsedReference {
  const parts = takeApart(text);
  if (parts.kind === "problem") return parts;
  const { reference } = parts;
  if (reference.tag === undefined && reference.digest === undefined)
    return problem("it has neither a tag nor a digest: append :<tag> or @sha256:<digest>");
  return parts;
}

/** Reads the name of a repository, with or without `oci://`. A tag or a digest is a problem. */
export function parseRepository(text: string): ParsedReference {
  const parts = takeApart(text);
  if (parts.kind === "problem") return parts;
  const { tag, digest } = parts.reference;
  return tag === undefined && digest === undefined ? parts : problem("leave out the tag and the digest");
}

/** The reference as it is written, without the scheme. */
export function formatReference({ host, repository, tag, digest }: OciReference): string {
  return `${host}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${ociDigest(digest)}`}`;
}

/** A digest as registries write it. */
export function ociDigest(digest: Digest): string {
  return `sha256:${digest}`;
}

/** Reads a registry's digest; `undefined` where it is of another algorithm or malformed. */
export function parseOciDigest(text: string): Digest | undefined {
  const hex = text.startsWith("sha256:") ? text.slice("sha256:".length) : "";
  return isDigest(hex) ? hex : undefined;
}

function takeApart(text: string): ParsedReference {
  const whole = text.startsWith(OCI_SCHEME) ? text.slice(OCI_SCHEME.length) : text;
  const slash = whole.indexOf("/");
  if (slash < 0) return problem("it names no registry: write oci://<host>/<repository>:<tag>");
  const host = whole.slice(0, slash).toLowerCase();
  if (!isRegistryHost(host)) return problem(`${JSON.stringify(host)} is not the host of a registry`);
  const [path = "", digestText, ...more] = whole.slice(slash + 1).split("@");
  const colon = path.indexOf(":");
  const repository = colon < 0 ? path : path.slice(0, colon);
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  if (!REPOSITORY.test(repository))
    return problem(
      `${JSON.stringify(repository)} is not the name of a repository: lower-case letters, digits and . _ - in parts joined by /`,
    );
  if (tag !== undefined && !TAG.test(tag))
    return problem(`${JSON.stringify(tag)} is not a tag: 1 to 128 of A-Z, a-z, 0-9, '_', '.' and '-'`);
  const digest = digestText === undefined ? undefined : parseOciDigest(digestText);
  if (more.length > 0 || (digestText !== undefined && digest === undefined))
    return problem("what follows @ is not a digest: write sha256: and 64 hexadecimal digits in lower case");
  return { kind: "reference", reference: { host, repository, tag, digest } };
}

/**
 * A host with its port, as references and settings name it. A first part without a dot, a colon or the name `localhost` is a
 * repository's for other tools, so it is refused here, too.
 */
export function isRegistryHost(host: string): boolean {
  const port = /:([0-9]+)$/.exec(host)?.[1];
  return HOST.test(host) && /^localhost|[.:]/.test(host) && (port === undefined || isPort(Number(port)));
}

function isPort(port: number): boolean {
  return port >= 1 && port <= MAX_PORT;
}

function problem(text: string): ReferenceProblem {
  return { kind: "problem", problem: text };
}
