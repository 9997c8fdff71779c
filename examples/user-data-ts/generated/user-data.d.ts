/// <reference path="./interfaces/local-network-host-handler.d.ts" />
/// <reference path="./interfaces/local-network-host-key-value-store.d.ts" />
/// <reference path="./interfaces/local-network-host-logging.d.ts" />
/// <reference path="./interfaces/local-network-host-types.d.ts" />
declare module 'examples:user-data/user-data' {
  export type * as LocalNetworkHostKeyValueStore100 from 'local:network-host/key-value-store@1.0.0'; // import local:network-host/key-value-store@1.0.0
  export type * as LocalNetworkHostLogging100 from 'local:network-host/logging@1.0.0'; // import local:network-host/logging@1.0.0
  export type * as LocalNetworkHostTypes100 from 'local:network-host/types@1.0.0'; // import local:network-host/types@1.0.0
  export * as handler from 'local:network-host/handler@1.0.0'; // export local:network-host/handler@1.0.0
}
