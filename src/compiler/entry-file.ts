/** The file of an artifact that a runner starts from. */
export const ENTRY_FILE = "component.js";
