/**
 * What credentials of registries are. They are in no message and in no log.
 *
 * @module
 */

/** What a registry is told about who asks. */
export type RegistryCredentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  /** Is exchanged for tokens at the registry's token server (OAuth 2 refresh token). */
  | { readonly kind: "identity-token"; readonly token: string }
  /** Is the token itself. */
  | { readonly kind: "registry-token"; readonly token: string };

/** Finds the credentials for a registry's host. `undefined`: ask without any. Throws `registry-denied`. */
export type FindCredentials = (host: string) => Promise<RegistryCredentials | undefined>;
