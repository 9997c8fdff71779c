import { type ErrorCode, errorRow } from "../../src/errors/table.ts";

/** The exact headers of a failure, as docs/protocol.md has them. */
export function failure(code: ErrorCode, id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const row = errorRow(code);
  return {
    "Nats-Service-Error": row.summary,
    "Nats-Service-Error-Code": String(row.replyCode),
    "Rpc-Error": code,
    "Rpc-Retryable": String(row.retryable),
    "Rpc-Id": id,
    ...more,
  };
}
