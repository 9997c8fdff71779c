/**
 * A token server as registries have one, with the tokens that docker-registry accepts: JSON Web Tokens, signed with ES256.
 *
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 * @module
 */

import { sign } from "node:crypto";
import type { Certificate } from "./certificate.ts";
import { type LocalServer, startHttpServer } from "./local-server.ts";
import { LOGIN, TOKEN_ISSUER, TOKEN_SERVICE } from "./registry.ts";

export interface TokenServer extends LocalServer {
  /** Scopes that were asked for, and whether a password was given. */
  readonly asked: readonly string[];
}

const LIFETIME_S = 300;
const IDENTITY_TOKEN = "identity-of-reader";

/** Gives tokens to whoever has the password of {@link LOGIN}, or its identity token. */
export async function startTokenServer(certificate: Certificate): Promise<TokenServer> {
  const asked: string[] = [];
  const password = `Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString("base64")}`;
  const server = await startHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const fields =
        request.method === "POST"
          ? new URLSearchParams(body)
          : new URL(request.url ?? "", "http://tokens.test").searchParams;
      const isKnown = request.headers.authorization === password || fields.get("refresh_token") === IDENTITY_TOKEN;
      const scope = fields.get("scope") ?? "";
      asked.push(`${scope} ${isKnown ? "known" : "unknown"}`);
      if (!isKnown) response.writeHead(401).end();
      else response.end(JSON.stringify({ token: tokenFor(scope, certificate), expires_in: LIFETIME_S }));
    });
  });
  return Object.assign(server, { asked });
}

function tokenFor(scope: string, { cert, key }: Certificate): string {
  const [type = "", name = "", actions = ""] = scope.split(":");
  const now = Math.floor(Date.now() / 1_000);
  const header = { typ: "JWT", alg: "ES256", x5c: [cert.replaceAll(/-----[A-Z ]+-----|\n/g, "")] };
  const claims = {
    iss: TOKEN_ISSUER,
    sub: LOGIN.user,
    aud: TOKEN_SERVICE,
    exp: now + LIFETIME_S,
    nbf: now - 1,
    iat: now,
    jti: "1",
    access: [{ type, name, actions: actions.split(",") }],
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** What Docker's configuration has for a registry whose login gave an identity token. */
export const IDENTITY_AUTH = { identitytoken: IDENTITY_TOKEN };
