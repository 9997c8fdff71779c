/**
 * `wasi:sockets`, denied. A guest gets a handle of the network, but can make no socket and look up no name with it. So the
 * resources of sockets and of look-ups never exist.
 *
 * @module
 */

import type * as PublishedLookup from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-ip-name-lookup";
import type { ErrorCode } from "@bytecodealliance/preview2-shim/interfaces/wasi-sockets-network";
import type { GuestContext } from "../guest/guest-context.ts";
import { err, expectString, type Result } from "../guest/guest-values.ts";
import { absentResource, HOST_ONLY, type Namespace, namespace, requireHost, seal } from "../guest/namespaces.ts";
import type { Functions } from "./published-types.ts";

const DENIED: Result<never, ErrorCode> = Object.freeze(err<ErrorCode>("access-denied"));

/** Throws for anything but a network of the host. */
let expectNetwork: (network: unknown) => void;

class Network {
  readonly #context: GuestContext;

  constructor(key: typeof HOST_ONLY, context: GuestContext) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
  }

  static {
    expectNetwork = (network) => void (network as Network).#context;
  }
}
seal(Network);

export const network: Namespace = namespace({ Network });

export function createInstanceNetwork(context: GuestContext): Namespace {
  return namespace({ instanceNetwork: () => new Network(HOST_ONLY, context) });
}

const lookup = {
  resolveAddresses(from: unknown, name: unknown): Result<never, ErrorCode> {
    expectNetwork(from);
    expectString(name);
    return DENIED;
  },
} satisfies Functions<typeof PublishedLookup>;

export const ipNameLookup: Namespace = namespace({ ResolveAddressStream: absentResource(), ...lookup });

export const tcp: Namespace = namespace({ TcpSocket: absentResource() });
export const tcpCreateSocket: Namespace = namespace({ createTcpSocket: () => DENIED });

export const udp: Namespace = namespace({
  UdpSocket: absentResource(),
  IncomingDatagramStream: absentResource(),
  OutgoingDatagramStream: absentResource(),
});
export const udpCreateSocket: Namespace = namespace({ createUdpSocket: () => DENIED });
