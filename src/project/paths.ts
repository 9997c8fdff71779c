/**
 * Where things are.
 *
 * @module
 */

import { access } from "node:fs/promises";

/** Is there something that this process may see? */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
