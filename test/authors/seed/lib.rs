// Generate bindings from the WIT package provided by the host system.
#[allow(warnings)]
mod bindings;

use bindings::Guest;
use bindings::local::network_host::{
    host, // The imported host interfaces
    plugin::{AccessLevels, RpcRequest, RpcResponse}, // The exported types
};

struct MyPlugin;

impl Guest for MyPlugin {
    /// Declare the permissions this plugin needs to function.
    fn get_access_levels() -> AccessLevels {
        // This plugin needs to read and write to the key-value store.
        AccessLevels::KEY_VALUE_READ | AccessLevels::KEY_VALUE_WRITE
    }

    /// Handle the incoming request.
    fn handle_request(req: RpcRequest) -> Result<RpcResponse, String> {
        host::log(host::LogLevel::Info, &format!("Handling request {}", req.id));

        // Use the imported `key-value-store` resource.
        let store = host::KeyValueStore::new("user-data")
           .map_err(|e| e.to_string())?;

        // Business logic: get a value, modify it, and set it back.
        let current_value = host::KeyValueStore::get(&store, "some-key")
           .map_err(|e| e.to_string())?
           .unwrap_or_default();

        let new_value = format!("{} processed by {}",
            String::from_utf8_lossy(&current_value),
            String::from_utf8_lossy(&req.payload)
        );

        host::KeyValueStore::set(&store, "some-key", new_value.as_bytes())
           .map_err(|e| e.to_string())?;

        // Return a successful response.
        Ok(RpcResponse {
            status: 200,
            body: "Successfully processed".as_bytes().to_vec(),
        })
    }
}

bindings::export!(MyPlugin with_types_in bindings);
