//! The contract as `wit_bindgen` binds it. What plugins use of it is named at the root of this crate, too.
//!
//! Interfaces are at the path of their WIT names: `local:network-host/logging` is
//! [`local::network_host::logging`], and `wasi:http/types` is `wasi::http::types`.

#[cfg(feature = "http")]
#[allow(missing_docs)]
mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "local:network-host/network-plugin@1.0.0",
        // The contract names WASI's HTTP types; what a plugin does not use is left out of it.
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "network_plugin_api::bindings",
    });
}

#[cfg(not(feature = "http"))]
#[allow(missing_docs)]
mod generated {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package network-plugin:api;
            world network-plugin {
                import local:network-host/logging@1.0.0;
                import local:network-host/key-value-store@1.0.0;
                export local:network-host/handler@1.0.0;
            }
        ",
        world: "network-plugin:api/network-plugin",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "network_plugin_api::bindings",
    });
}

pub use generated::{export, exports};

#[cfg(feature = "http")]
pub use generated::wasi;

pub use exports::local::network_host::handler::Guest;

/// The package `local:network-host`.
pub mod local {
    /// Version 1.0.0 of the contract.
    pub mod network_host {
        pub use super::super::generated::local::network_host::*;

        /// What the host provides, in one module: [`logging`] and [`key_value_store`].
        pub mod host {
            pub use super::key_value_store::*;
            pub use super::logging::*;
        }

        /// What a plugin is made of, in one module: the data of the contract.
        pub mod plugin {
            pub use super::types::*;
        }
    }
}
