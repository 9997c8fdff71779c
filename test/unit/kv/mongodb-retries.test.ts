import { MongoErrorLabel, MongoNetworkError, MongoServerError } from "mongodb";
import { describe, expect, test } from "vitest";
import { isRetryableWrite } from "../../../src/kv/drivers/mongodb-errors.ts";
import { retriedUntil } from "../../../src/kv/drivers/mongodb-retries.ts";

const lost = (): MongoNetworkError => new MongoNetworkError("connection 1 closed");

function answered(code: number, ...labels: string[]): MongoServerError {
  return new MongoServerError({ message: "no", code, errorLabels: labels });
}

/** Attempts that end so, one after the other. */
function attempts(...ends: readonly unknown[]): {
  readonly attempt: () => Promise<unknown>;
  readonly count: () => number;
} {
  let count = 0;
  return {
    attempt: async () => {
      const end = ends[count];
      count += 1;
      if (end instanceof Error) throw end;
      return end;
    },
    count: () => count,
  };
}

const soon = (): number => performance.now() + 60_000;

describe("a command that is sent again", () => {
  test("has the first reply, however many attempts are lost before it", async () => {
    const { attempt, count } = attempts(lost(), lost(), answered(189, MongoErrorLabel.RetryableWriteError), "reply");
    expect(await retriedUntil(soon(), isRetryableWrite, attempt)).toBe("reply");
    expect(count()).toBe(4);
  });

  test("ends with an error after which nothing else is to be expected", async () => {
    const denied = answered(13);
    const { attempt, count } = attempts(lost(), denied, "never");
    await expect(retriedUntil(soon(), isRetryableWrite, attempt)).rejects.toBe(denied);
    expect(count()).toBe(2);
  });

  test("is not sent again when nobody waits any more", async () => {
    const { attempt, count } = attempts(lost(), "never");
    await expect(retriedUntil(performance.now() - 1, isRetryableWrite, attempt)).rejects.toBeInstanceOf(
      MongoNetworkError,
    );
    expect(count()).toBe(1);
  });

  test("ends with what an earlier attempt may have done, where the later ones are known to have done nothing", async () => {
    const first = lost();
    const idle = answered(13, MongoErrorLabel.NoWritesPerformed);
    await expect(retriedUntil(soon(), isRetryableWrite, attempts(first, idle).attempt)).rejects.toBe(first);
    await expect(retriedUntil(soon(), isRetryableWrite, attempts(idle).attempt)).rejects.toBe(idle);
  });
});
