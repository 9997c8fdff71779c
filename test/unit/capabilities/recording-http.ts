import type { HttpSink } from "../../../src/contract/http.ts";
import type {
  HttpClient,
  HttpClientOptions,
  OutboundExchange,
  OutboundHttp,
  OutboundRequest,
} from "../../../src/egress/outbound-http.ts";

/** One request that reached the driver, and what the test may do with it. */
export interface RecordedExchange {
  readonly request: OutboundRequest;
  readonly sink: HttpSink;
  readonly written: Uint8Array[];
  readonly events: ("finish" | "abort" | `read ${number}`)[];
  /** Lets the connection go. */
  readonly close: () => void;
}

/** Outbound HTTP that sends nothing and remembers what it was asked. */
export class RecordingHttp implements OutboundHttp {
  readonly exchanges: RecordedExchange[] = [];
  readonly clients: HttpClientOptions[] = [];
  closedClients = 0;

  createClient(options: HttpClientOptions): HttpClient {
    this.clients.push(options);
    return {
      open: (request, sink) => this.#open(request, sink),
      [Symbol.asyncDispose]: () => {
        this.closedClients += 1;
        return Promise.resolve();
      },
    };
  }

  #open(request: OutboundRequest, sink: HttpSink): OutboundExchange {
    const closed = Promise.withResolvers<void>();
    const recorded: RecordedExchange = { request, sink, written: [], events: [], close: () => closed.resolve() };
    this.exchanges.push(recorded);
    return {
      closed: closed.promise,
      write: (bytes) => recorded.written.push(bytes),
      finish: () => recorded.events.push("finish"),
      read: (bytes) => recorded.events.push(`read ${bytes}`),
      abort: () => recorded.events.push("abort"),
    };
  }
}

/** A sink that remembers what it was told. */
export class RecordingSink implements HttpSink {
  readonly told: (readonly [keyof HttpSink, unknown])[] = [];

  wanted(bytes: number): void {
    this.told.push(["wanted", bytes]);
  }

  response(response: unknown): void {
    this.told.push(["response", response]);
  }

  chunk(bytes: Uint8Array): void {
    this.told.push(["chunk", bytes.length]);
  }

  end(trailers: unknown): void {
    this.told.push(["end", trailers]);
  }

  fail(failure: unknown): void {
    this.told.push(["fail", failure]);
  }
}
