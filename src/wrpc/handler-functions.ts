/**
 * The functions of the contract's handler as wRPC passes them. Their codecs follow from the same data as the check of a
 * component's exports.
 *
 * @module
 */

import { CONTRACT_INTERFACES } from "../contract/generated/contract-interfaces.ts";
import { HANDLER, HANDLER_ID } from "../contract/interface-names.ts";
import type { FunctionShape, TypeShape } from "../contract/wit-shapes.ts";
import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { RpcRequest, RpcResponse } from "../contract/request.ts";
import { HostError } from "../errors/host-error.ts";
import { compileType, type ValueCodec } from "./value-codec.ts";
import { ValueWriter } from "./value-writer.ts";

/** The WIT `result<rpc-response, string>`. */
export type HandlerResult =
  | { readonly tag: "ok"; readonly val: RpcResponse }
  | { readonly tag: "err"; readonly val: string };

/** A function: the codecs of all parameters together and of its result. */
export interface WrpcFunction<Parameters extends readonly unknown[] = readonly unknown[], Result = unknown> {
  readonly name: string;
  readonly parameters: ValueCodec<Parameters>;
  readonly result: ValueCodec<Result>;
}

/** The instance that callers name: the handler with its version. */
export const HANDLER_INSTANCE: string = HANDLER;

export const GET_ACCESS_LEVELS = handlerFunction<readonly [], AccessLevelBits>("get-access-levels");

export const HANDLE_REQUEST = handlerFunction<readonly [RpcRequest], HandlerResult>("handle-request");

/** A function of the handler; each has a type of its own. */
export type HandlerFunction = typeof GET_ACCESS_LEVELS | typeof HANDLE_REQUEST;

/** The functions of the handler by name. */
export const HANDLER_FUNCTIONS: ReadonlyMap<string, HandlerFunction> = new Map<string, HandlerFunction>([
  [GET_ACCESS_LEVELS.name, GET_ACCESS_LEVELS],
  [HANDLE_REQUEST.name, HANDLE_REQUEST],
]);

/** The bytes of a value, in parts. */
export function encodeValue<Value>(codec: ValueCodec<Value>, value: Value): readonly Uint8Array[] {
  const writer = new ValueWriter();
  codec.write(value, writer);
  return writer.finish();
}

/** The types in the type arguments are those of `contract/`; a test compares their fields with the interface's. */
function handlerFunction<Parameters extends readonly unknown[], Result>(
  name: string,
): WrpcFunction<Parameters, Result> {
  const { params, result } = shapeOf(name);
  return {
    name,
    parameters: compileType({ tuple: Object.values(params) }, typeNamed) as ValueCodec<Parameters>,
    result: compileType(result, typeNamed) as ValueCodec<Result>,
  };
}

function shapeOf(name: string): FunctionShape & { readonly result: TypeShape } {
  const shape = CONTRACT_INTERFACES[HANDLER_ID]?.functions[name];
  if (shape?.result == null) throw new HostError("internal", `the handler has no function ${name} with a result`);
  return { ...shape, result: shape.result };
}

/** The codec of the type that is named `interface#type`. */
function typeNamed(name: string): ValueCodec {
  const [interfaceName = "", typeName = ""] = name.split("#");
  const shape = CONTRACT_INTERFACES[interfaceName]?.types[typeName];
  if (shape === undefined) throw new HostError("internal", `no interface declares the type ${name}`);
  return compileType(shape, typeNamed);
}
