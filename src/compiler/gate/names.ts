/**
 * Which names a component may carry. The code generator writes names of core modules into JavaScript without
 * escaping them, so every name is held to a small set of characters before the generator sees it.
 *
 * @module
 */

import { isLabel } from "../../component/interface-name.ts";

/**
 * Characters of names in core modules and of imports and exports at every level. These are what language
 * toolchains use (`cabi_post_local:network-host/handler@1.0.0#handle-request`, `[method]a.b`, `$imports`,
 * `cm32p2||memory`); none of them can end a string, a template, a line or a comment in JavaScript.
 *
 * wasm-tools tells two imports of the same name apart by a number behind the second one's, `fd_write [v2]`: every
 * plugin in Go has such. The space is allowed there only.
 */
const SAFE_NAME = /^[A-Za-z0-9_.:/@#$|+[\]-]*(?: \[v\d+\])?$/;

/** Would set an object's prototype where code defines a property of this name. */
const PROTOTYPE = "__proto__";

/** Characters that {@link isSafeName} allows, for messages. */
export const SAFE_NAME_CHARACTERS = "letters, digits and _ . : / @ # $ | + - [ ]";

/** May a core module, a core instance, an import or an export carry this name? The empty name may occur in core modules. */
export function isSafeName(name: string): boolean {
  return SAFE_NAME.test(name) && name !== PROTOTYPE;
}

/** May a field, case, flag, parameter or type carry this name? */
export function isSafeLabel(name: string): boolean {
  return isLabel(name);
}

/**
 * Names that an export must not have: JavaScript's reserved words, strict mode and modules included (ECMA-262,
 * 12.7.2), and properties that the language itself looks up.
 */
const UNSAFE_EXPORTS: ReadonlySet<string> = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof undefined var void while with yield " +
    "then constructor prototype to-string value-of to-json"
  ).split(" "),
);

/** May a component export something by this name, which becomes a property and maybe an identifier in JavaScript? */
export function isSafeExportName(name: string): boolean {
  return isLabel(name) && !UNSAFE_EXPORTS.has(name.toLowerCase());
}
