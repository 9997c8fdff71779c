/** The measurement cannot be made or is not valid; the message is for whoever started it. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
