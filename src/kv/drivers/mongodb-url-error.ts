import { HostError } from "../../errors/host-error.ts";

const SHAPE_ADVICE =
  "write mongodb://[user:password@]host[:port]/[database], with special characters of user and password percent-encoded";

/**
 * An error about a URL: what is wrong, and what to do about it. `reason` holds no value of the URL, since what is taken
 * for a host or an option may be part of a password that was not encoded.
 *
 * @param source what the message calls the URL: the flag or the variable that it came from
 */
export function urlInvalid(source: string, reason: string, advice: string = SHAPE_ADVICE): HostError {
  return new HostError("usage-invalid", `${source} cannot be used: ${reason}; ${advice}`);
}
