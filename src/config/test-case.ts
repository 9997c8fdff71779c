/**
 * A test file as data: what a plugin finds, the requests that it gets, and what is expected. The same setup of a scene is
 * what the package's API for test runners makes.
 *
 * @module
 */

import type { AccessLevel } from "../contract/access-levels.ts";
import type { HttpErrorCode } from "../contract/http.ts";
import type { PluginLimits } from "../contract/limits.ts";
import type { BucketName, PluginName } from "../contract/names.ts";
import type { LogLevel } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Position } from "./diagnostic.ts";
import type { ExpectedBytes, ExpectedText } from "./test-values.ts";
import type { Path } from "./yaml-text.ts";

/** Values by bucket, as the plugin names it, and key. */
export type KeysByBucket<Value> = ReadonlyMap<BucketName, ReadonlyMap<string, Value>>;

/** What a store does wrong, and for which operations. */
export interface StoreFault {
  readonly on: "get" | "set" | "any";
  readonly bucket: BucketName | undefined;
  readonly key: string | undefined;
  /** Operations that are left alone first. */
  readonly skip: number;
  /** Operations that it applies to; absent for all. */
  readonly times: number | undefined;
  readonly delayMs: number;
  readonly fail: StoreFaultCode | undefined;
}

/** Errors that a store ends an operation with. */
export const STORE_FAULT_CODES = ["store-unavailable", "store-timeout", "store-outcome-unknown"] as const;

export type StoreFaultCode = (typeof STORE_FAULT_CODES)[number];

/** An HTTP request that is expected of the plugin, and what it gets for it. */
export interface ScriptedExchange {
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** By names in lower case. */
    readonly headers: ReadonlyMap<string, ExpectedText>;
    readonly body: ExpectedBytes | undefined;
  };
  readonly delayMs: number;
  readonly times: number;
  readonly outcome:
    | { readonly kind: "failure"; readonly code: HttpErrorCode }
    | {
        readonly kind: "response";
        readonly status: number;
        readonly headers: readonly (readonly [name: string, value: string])[];
        readonly chunks: readonly Uint8Array[];
        /** How it breaks off after the chunks, if it does. */
        readonly failure: HttpErrorCode | undefined;
      };
}

/** What a plugin finds: everything outside it that a test replaces. */
export interface SceneSetup {
  readonly keys: KeysByBucket<Uint8Array>;
  readonly faults: readonly StoreFault[];
  readonly exchanges: readonly ScriptedExchange[];
}

/** A request of a case. */
export interface TestRequest {
  readonly method: string | undefined;
  readonly id: string | undefined;
  readonly payload: Uint8Array;
  readonly timeoutMs: number | undefined;
}

/** A line of the plugin's log. */
export interface ExpectedLine {
  readonly text: ExpectedText;
  readonly level: LogLevel | undefined;
}

/** The error that a request ends with. */
export interface ExpectedError {
  readonly code: ErrorCode;
  /** Of `plugin-error`: what the plugin returns. */
  readonly text: ExpectedText | undefined;
}

/** What has to be so after a request. Absent parts do not matter. */
export interface Expectation {
  readonly status: number | undefined;
  readonly body: ExpectedBytes | undefined;
  readonly error: ExpectedError | undefined;
  /** A bucket that is named has these keys and no others. */
  readonly keys: KeysByBucket<ExpectedBytes>;
  /** All lines, in this order. */
  readonly log: readonly ExpectedLine[] | undefined;
  /** Each is somewhere in the log. */
  readonly logIncludes: readonly ExpectedLine[];
}

/** A request with its expectation. */
export interface TestStep {
  readonly request: TestRequest;
  readonly expect: Expectation;
  /** The place of this path, from the step on, in the file. */
  readonly at: (path: Path) => Position;
}

/** Once through a case, from its beginning. */
export interface TestRun {
  /** The values of its variables, for people; absent without variables. */
  readonly values: string | undefined;
  readonly scene: SceneSetup;
  readonly steps: readonly TestStep[];
}

export interface TestCase {
  readonly name: string;
  readonly position: Position;
  /** Without one of these levels there is nothing to test. */
  readonly needs: readonly AccessLevel[];
  /** One, or as many as its `each` has combinations of values. */
  readonly runs: readonly TestRun[];
  /** The place of this path, from the case on, in the file. */
  readonly at: (path: Path) => Position;
}

/** A test file. Paths are as they are written: they begin at the file's folder. */
export interface TestDocument {
  readonly file: string;
  readonly component: string | undefined;
  readonly plugin: PluginName | undefined;
  readonly policy: string | undefined;
  readonly limits: Partial<PluginLimits>;
  readonly cases: readonly TestCase[];
}
