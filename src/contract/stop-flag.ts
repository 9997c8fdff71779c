/**
 * The stop flag of an instance: one word of shared memory that the instance's own code looks at, and that another thread of
 * the runner can set while the code runs. The compiler writes the checks, the runner gives the memory.
 *
 * @module
 */

/** The memory's name among a module's imports from the host. */
export const STOP_FLAG = "stop flag";

/** The memory's size. */
export const STOP_FLAG_PAGES = 1;

/** Where the flag is in the memory, in bytes. The code traps where the word, as a signed number, is negative. */
export const STOP_FLAG_OFFSET = 0;
