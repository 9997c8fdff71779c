#![doc = include_str!("../README.md")]

pub mod bindings;
#[cfg(feature = "http-client")]
pub mod http;

/// What a plugin is: two functions, which the host calls.
pub use bindings::Guest as Plugin;

/// What a plugin asks for, what it is asked, and what it replies with.
pub use bindings::exports::local::network_host::handler::{AccessLevels, RpcRequest, RpcResponse};

/// Values that outlive a request, in the buckets that the policy allows.
pub use bindings::local::network_host::key_value_store::{self, KeyValueStore};

/// Lines in the replica's log, which adds the plugin's name and the request's id.
pub use bindings::local::network_host::logging::{self, log, LogLevel};

/// Makes a type that implements [`Plugin`] the one that the host calls: `network_plugin_api::export!(MyPlugin);`.
///
/// Once in a crate, whose `crate-type` is `cdylib`. Where the dependency has another name, say where it is:
/// `api::export!(MyPlugin with_types_in api::bindings);`.
#[doc(inline)]
pub use bindings::export;
