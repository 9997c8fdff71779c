/** The measurement cannot be made or is not valid; the message is for whoever started it. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}

/** A contender answers with errors: it is too slow, or it has too much to do. A wrong answer is not one of these. */
export class RefusedError extends BenchError {}
