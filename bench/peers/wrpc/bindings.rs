//! What the crates make of the contract: a client of the handler's functions, and a handler to serve.

use crate::values::{self, METHOD};

pub mod client {
    wit_bindgen_wrpc::generate!({
        path: "../../../../wit",
        inline: "package bench:peer; world client { import local:network-host/handler@1.0.0; }",
        world: "bench:peer/client",
        generate_all,
    });
}

pub mod exported {
    wit_bindgen_wrpc::generate!({
        path: "../../../../wit",
        inline: "package bench:peer; world server { export local:network-host/handler@1.0.0; }",
        world: "bench:peer/server",
        generate_all,
    });
}

use client::local::network_host::handler::{RpcRequest, RpcResponse};

/// A call's request; the answer has its payload.
pub fn request(number: u64) -> RpcRequest {
    RpcRequest {
        id: number.to_string(),
        method: METHOD.to_owned(),
        payload: values::payload(number).to_vec().into(),
    }
}

pub fn check(answered: Result<RpcResponse, String>, request: &RpcRequest) -> anyhow::Result<()> {
    let response = answered.map_err(|text| anyhow::anyhow!(text))?;
    anyhow::ensure!(
        response.body == request.payload,
        "the answer is another one"
    );
    Ok(())
}
