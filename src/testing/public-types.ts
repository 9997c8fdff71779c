/**
 * The types of `network-host/testing`. They name nothing else of the package, so that their declarations stand alone.
 *
 * @module
 */

/** Bytes: a text stands for its UTF-8, `{ json }` for the JSON of a value. */
export type Bytes = string | Uint8Array | { readonly json: unknown };

/** What a text must be: equal, or matching a regular expression. */
export type TextPattern = string | RegExp;

/** What a plugin may request. */
export type Level = "key-value-read" | "key-value-write" | "outbound-http";

/** How a plugin is opened. */
export interface OpenOptions {
  /** The plugin's name. Default: the policy's, else that of the component's file. */
  readonly name?: string;
  /** The plugin's policy file. Default: whatever the plugin requests, any private bucket, any host. */
  readonly policy?: string;
  /** Limits by the names of docs/limits.md, such as `deadlineMs`. Those of a policy go before them. */
  readonly limits?: Readonly<Record<string, number | string>>;
  /** Without a policy: targets such as `http://127.0.0.1:8080`, of addresses that are not of the internet. */
  readonly hosts?: readonly string[];
  /** Default: `auto`. */
  readonly engine?: "auto" | "linker" | "jco";
  /** The folder for compiled components. Default: that of the command line. */
  readonly cacheDir?: string;
}

/** What goes wrong in the store. One of `fail` and `delayMs` is there. */
export interface StoreFault {
  /** Default: `any`. */
  readonly on?: "get" | "set" | "any";
  readonly bucket?: string;
  readonly key?: string;
  /** Operations that are left alone first. */
  readonly skip?: number;
  /** How many operations it applies to. Default: all. */
  readonly times?: number;
  readonly delayMs?: number;
  readonly fail?: "store-unavailable" | "store-timeout" | "store-outcome-unknown";
}

/** An HTTP request that the plugin sends, and what it gets for it: a response or a failure. */
export interface Exchange {
  readonly request: {
    /** Default: `GET`. */
    readonly method?: string;
    readonly url: string;
    readonly headers?: Readonly<Record<string, TextPattern>>;
    readonly body?: Bytes;
  };
  readonly delayMs?: number;
  readonly response?: {
    /** Default: 200. */
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Bytes;
    /** The body in several parts, instead of `body`. */
    readonly chunks?: readonly Bytes[];
    /** How the response breaks off after its body: an error of wasi:http. */
    readonly fail?: string;
  };
  /** An error of wasi:http, such as `connection-refused`. */
  readonly fail?: string;
  /** How often the plugin sends this request. Default: 1. */
  readonly times?: number;
}

/** What the plugin finds. */
export interface SceneOptions {
  /** Values by bucket and key. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, Bytes>>>>;
  readonly store?: readonly StoreFault[];
  readonly http?: readonly Exchange[];
}

/** What a caller gives besides method and payload. */
export interface CallOptions {
  readonly id?: string;
  /** How long the caller waits. Default: the plugin's limit. */
  readonly timeoutMs?: number;
}

/** A line that the plugin wrote: through `logging`, or to an output stream; `host` is the host about the request. */
export interface LogLine {
  readonly source: "log" | "stdout" | "stderr" | "host";
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** Why the plugin did not answer. */
export interface ReplyError {
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** Of `plugin-error`: what the plugin returned. */
  readonly text: string;
  readonly retryable: boolean;
  /** What the log says about it: a trap's message and its backtrace. */
  readonly detail: string | undefined;
}

/** What a request got: a status and a body, or an error. */
export interface Reply {
  readonly id: string | undefined;
  readonly status: number | undefined;
  readonly error: ReplyError | undefined;
  /** Empty where there is an error. */
  readonly body: Uint8Array;
  /** The body as UTF-8. */
  readonly text: string;
  /** The body as JSON. Throws if it is not valid JSON. */
  json(): unknown;
  readonly log: readonly LogLine[];
}

/** An HTTP request that the plugin sent. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Was it one of the scene's? */
  readonly expected: boolean;
}

/** The surroundings of a test. */
export interface Scene {
  /** The values of a bucket, as they are now. */
  keys(bucket: string): ReadonlyMap<string, Uint8Array>;
  /** The same as texts. */
  texts(bucket: string): Readonly<Record<string, string>>;
  /** The HTTP requests so far, in the order in which they began. */
  requests(): readonly SentRequest[];
  /** Throws where the plugin sent other HTTP requests than the scene's, or where the scene has something that was not used. */
  verify(): void;
}

/** A plugin that runs as on a replica, but for what is behind the ports. */
export interface PluginUnderTest extends AsyncDisposable {
  readonly name: string;
  readonly engine: "linker" | "jco";
  /** The levels that it requests. */
  readonly requested: readonly Level[];
  /** Requested levels that no operation has used so far. */
  readonly unused: readonly Level[];
  /** Begins a test: nothing of what was before remains. */
  scene(options?: SceneOptions): Scene;
  /** Sends a request and waits for its reply. One at a time. */
  call(method: string, payload?: Bytes, options?: CallOptions): Promise<Reply>;
  /** Ends its processes, as `await using` does. */
  close(): Promise<void>;
}
