/** The gates of a version, as a test asks them. */

import { Gates, type GatesOptions } from "../../../src/capabilities/host.ts";
import type { GateKey, OperationContext } from "../../../src/capabilities/host-side.ts";
import { KEY_VALUE_GATE } from "../../../src/capabilities/key-value/host/gate.ts";
import type { KeyValueOperation, KeyValueResult } from "../../../src/capabilities/key-value/messages.ts";
import { OUTBOUND_HTTP_GATE } from "../../../src/capabilities/outbound-http/host/gate.ts";
import type { HttpExchange, HttpRequest, HttpSink } from "../../../src/contract/http.ts";

export class Brokered {
  readonly #gates: Gates;

  constructor(parts: GatesOptions) {
    this.#gates = new Gates(parts);
  }

  perform(operation: KeyValueOperation, context: OperationContext): Promise<KeyValueResult> {
    return this.#gates.of(KEY_VALUE_GATE).perform(operation, context);
  }

  openHttp(request: HttpRequest, sink: HttpSink, context: OperationContext): HttpExchange {
    return this.#gates.of(OUTBOUND_HTTP_GATE).open(request, sink, context);
  }

  async close(): Promise<void> {
    await this.#gates.close();
  }
}

/** Gives out one gate, whatever it is asked for. */
export function gateGiving(gate: object): <Gate>(key: GateKey<Gate>) => Gate {
  return () => gate as never;
}
