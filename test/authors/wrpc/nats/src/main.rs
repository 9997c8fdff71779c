//! Calls a plugin over NATS by bindings of wit/: `wrpc-nats-client PREFIX SCENARIO …`, with the server in `NATS_URL`.

#[path = "../../scenarios.rs"]
mod scenarios;

mod bindings {
    wit_bindgen_wrpc::generate!({
        path: "../../../../wit",
        inline: "package test:client; world client { import local:network-host/handler@1.0.0; }",
        world: "test:client/client",
        generate_all,
    });
}

use std::sync::OnceLock;

type Client = wrpc_transport_nats::Client;

static NATS: OnceLock<async_nats::Client> = OnceLock::new();

async fn open(prefix: &str) -> anyhow::Result<Client> {
    let nats = async_nats::connect(std::env::var("NATS_URL")?).await?;
    let nats = NATS.get_or_init(|| nats);
    Client::new(nats.clone(), prefix, None).await
}

/// The answer may come before the end of the parameters is sent, and the process would take it along.
async fn close() -> anyhow::Result<()> {
    Ok(NATS.get().expect("it was opened").flush().await?)
}

/// What every call is given beside its parameters: no headers.
fn context() -> Option<async_nats::HeaderMap> {
    None
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    scenarios::run().await
}
