/** What the author can mend: its message is printed without a stack. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
