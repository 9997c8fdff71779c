//! Calls a plugin over TCP by bindings of wit/: `wrpc-tcp-client ADDRESS SCENARIO …`, with ADDRESS as `host:port`.

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

type Client = wrpc_transport::tcp::Client<String>;

async fn open(address: &str) -> anyhow::Result<Client> {
    Ok(Client::from(address.to_owned()))
}

async fn close() -> anyhow::Result<()> {
    Ok(())
}

/// What every call is given beside its parameters: nothing.
fn context() {}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    scenarios::run().await
}
