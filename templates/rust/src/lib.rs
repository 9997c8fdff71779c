use network_plugin_api::{log, AccessLevels, KeyValueStore, LogLevel, Plugin, RpcRequest, RpcResponse};

struct Greeter;

impl Plugin for Greeter {
    /// Asked once, before the first request: what the operator's policy has to allow.
    fn get_access_levels() -> AccessLevels {
        AccessLevels::KEY_VALUE_READ | AccessLevels::KEY_VALUE_WRITE
    }

    fn handle_request(request: RpcRequest) -> Result<RpcResponse, String> {
        log(LogLevel::Info, &format!("a request for {}", request.method));
        let name = String::from_utf8_lossy(&request.payload);
        if name.is_empty() {
            // The text of an error is what the caller gets for an answer.
            return Err("a name is needed".into());
        }

        let store = KeyValueStore::new("counters");
        let before = store.get(&request.method)?.unwrap_or_default();
        let count = String::from_utf8_lossy(&before).parse().unwrap_or(0) + 1;
        store.set(&request.method, count.to_string().as_bytes())?;
        let body = format!("Hello, {name}! You are number {count}.");
        Ok(RpcResponse { status: 200, body: body.into_bytes() })
    }
}

network_plugin_api::export!(Greeter);
