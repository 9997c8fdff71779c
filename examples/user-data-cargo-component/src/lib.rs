//! Appends each request's payload to one stored value, as `user-data-rust` does, by the bindings of cargo-component.

#[allow(warnings)]
mod bindings;

use bindings::exports::local::network_host::handler::{AccessLevels, Guest, RpcRequest, RpcResponse};
use bindings::local::network_host::key_value_store::KeyValueStore;
use bindings::local::network_host::logging::{log, LogLevel};

struct UserData;

impl Guest for UserData {
    fn get_access_levels() -> AccessLevels {
        AccessLevels::KEY_VALUE_READ | AccessLevels::KEY_VALUE_WRITE
    }

    fn handle_request(req: RpcRequest) -> Result<RpcResponse, String> {
        log(LogLevel::Info, &format!("Handling request {}", req.id));

        let store = KeyValueStore::new("user-data");
        let current_value = store.get("some-key")?.unwrap_or_default();
        let new_value = format!(
            "{} processed by {}",
            String::from_utf8_lossy(&current_value),
            String::from_utf8_lossy(&req.payload)
        );
        store.set("some-key", new_value.as_bytes())?;

        Ok(RpcResponse {
            status: 200,
            body: b"Successfully processed".to_vec(),
        })
    }
}

bindings::export!(UserData with_types_in bindings);
