//! Appends each request's payload to one stored value.

use network_plugin_api::{export, log, AccessLevels, KeyValueStore, LogLevel, Plugin, RpcRequest, RpcResponse};

struct UserData;

impl Plugin for UserData {
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

export!(UserData);
