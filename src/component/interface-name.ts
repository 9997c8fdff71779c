/**
 * Names of interfaces as imports and exports carry them: `namespace:package/interface@version` (component-model
 * `Explainer.md`, "Import and Export Definitions").
 *
 * @module
 */

/** A parsed interface name. */
export interface InterfaceName {
  /** `namespace:package/interface`, without the version. */
  readonly id: string;
  /** Undefined where the name has none. */
  readonly version: string | undefined;
}

const LABEL = "[a-zA-Z][a-zA-Z0-9]*(?:-[a-zA-Z0-9]+)*";
const VERSION = "(?:0|[1-9][0-9]{0,9})\\.(?:0|[1-9][0-9]{0,9})\\.(?:0|[1-9][0-9]{0,9})(?:[-+][0-9A-Za-z.+-]{1,64})?";
const INTERFACE_NAME = new RegExp(`^(${LABEL}:${LABEL}/${LABEL})(?:@(${VERSION}))?$`);

/** Parses an interface's name; `undefined` where the text is something else, for example a plain function's name. */
export function parseInterfaceName(text: string): InterfaceName | undefined {
  const match = INTERFACE_NAME.exec(text);
  const id = match?.[1];
  return id === undefined ? undefined : { id, version: match?.[2] };
}

/** Is this one of the names that WIT gives to types, functions and interfaces: words of letters and digits, joined by `-`? */
export function isLabel(text: string): boolean {
  return LABEL_ALONE.test(text);
}

const LABEL_ALONE = new RegExp(`^${LABEL}$`);
