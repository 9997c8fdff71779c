/**
 * The part of the Web's interfaces that StarlingMonkey has and plugins use. There is more in the engine (streams, blobs, forms,
 * events): what is not declared here can be reached by `globalThis`.
 */

export {};

declare global {
  type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;
  type HeadersInit = Headers | Readonly<Record<string, string>> | Iterable<readonly [string, string]>;

  interface Headers extends Iterable<[string, string]> {
    append(name: string, value: string): void;
    delete(name: string): void;
    get(name: string): string | null;
    has(name: string): boolean;
    set(name: string, value: string): void;
    forEach(each: (value: string, name: string) => void): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
  }
  var Headers: { prototype: Headers; new (init?: HeadersInit): Headers };

  interface Body {
    readonly bodyUsed: boolean;
    arrayBuffer(): Promise<ArrayBuffer>;
    json(): Promise<unknown>;
    text(): Promise<string>;
  }

  interface RequestInit {
    method?: string;
    headers?: HeadersInit;
    body?: BodyInit;
  }
  interface Request extends Body {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
  }
  var Request: { prototype: Request; new (input: string | URL | Request, init?: RequestInit): Request };

  interface Response extends Body {
    readonly ok: boolean;
    readonly status: number;
    readonly statusText: string;
    readonly url: string;
    readonly headers: Headers;
  }
  var Response: {
    prototype: Response;
    new (body?: BodyInit | null, init?: { status?: number; statusText?: string; headers?: HeadersInit }): Response;
  };

  /** Sends a request, where the access level `outbound-http` is granted. */
  function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

  interface URLSearchParams extends Iterable<[string, string]> {
    append(name: string, value: string): void;
    delete(name: string): void;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string): boolean;
    set(name: string, value: string): void;
    toString(): string;
  }
  var URLSearchParams: {
    prototype: URLSearchParams;
    new (init?: string | Readonly<Record<string, string>> | Iterable<readonly [string, string]>): URLSearchParams;
  };

  interface URL {
    href: string;
    readonly origin: string;
    protocol: string;
    username: string;
    password: string;
    host: string;
    hostname: string;
    port: string;
    pathname: string;
    search: string;
    hash: string;
    readonly searchParams: URLSearchParams;
    toString(): string;
    toJSON(): string;
  }
  var URL: { prototype: URL; new (url: string | URL, base?: string | URL): URL };

  function setTimeout(callback: (...values: unknown[]) => void, delayMs?: number, ...values: unknown[]): number;
  function clearTimeout(timer: number | undefined): void;
  function setInterval(callback: (...values: unknown[]) => void, delayMs?: number, ...values: unknown[]): number;
  function clearInterval(timer: number | undefined): void;
  function queueMicrotask(callback: () => void): void;
  function structuredClone<T>(value: T): T;
}
