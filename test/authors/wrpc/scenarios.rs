//! What both clients do, and print as JSON, a line for each call. Nothing here knows of a transport.
//!
//! ```text
//! ADDRESS levels                                  {"levels":["key-value-read"]}
//! ADDRESS call METHOD PAYLOAD [ID]                {"ok":{"status":200,"body":"…"}}, {"err":"…"} or {"failed":"…"}
//! ADDRESS echo METHOD CALLS IN_FLIGHT BYTES …     {"bytes":64,"ok":100}, a line for each size
//! ADDRESS drop METHOD PAYLOAD                     {"waiting":true}, and when a line was read: {"dropped":true}
//! ```
//!
//! A PAYLOAD of `x*300000` stands for so many `x`.

use std::env;

use anyhow::{Context as _, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

use crate::bindings::local::network_host::handler::{self, RpcRequest};
use crate::bindings::local::network_host::types::AccessLevels;
use crate::{Client, close, context, open};

pub async fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [address, scenario, rest @ ..] = arguments.as_slice() else {
        bail!("usage: ADDRESS levels|call|echo|drop …");
    };
    let client = open(address).await?;
    match (*scenario, rest) {
        ("levels", []) => println!("{}", levels(&client).await),
        ("call", [method, payload]) => println!(
            "{}",
            call(&client, "1", method, &spelled_out(payload)?).await
        ),
        ("call", [method, payload, id]) => println!(
            "{}",
            call(&client, id, method, &spelled_out(payload)?).await
        ),
        ("echo", [method, calls, in_flight, sizes @ ..]) => {
            for bytes in sizes {
                let ok = echo(
                    &client,
                    method,
                    calls.parse()?,
                    in_flight.parse()?,
                    bytes.parse()?,
                )
                .await?;
                println!("{}", json!({ "bytes": bytes.parse::<usize>()?, "ok": ok }));
            }
        }
        ("drop", [method, payload]) => drop_call(&client, method, payload).await?,
        _ => bail!("no scenario {scenario} with {} arguments", rest.len()),
    }
    close().await
}

async fn levels(client: &Client) -> Value {
    match handler::get_access_levels(client, context()).await {
        Ok(levels) => {
            let names = [
                (AccessLevels::KEY_VALUE_READ, "key-value-read"),
                (AccessLevels::KEY_VALUE_WRITE, "key-value-write"),
                (AccessLevels::OUTBOUND_HTTP, "outbound-http"),
            ];
            let held = names.iter().filter(|(level, _)| levels.contains(*level));
            json!({ "levels": held.map(|(_, name)| *name).collect::<Vec<_>>() })
        }
        Err(error) => json!({ "failed": format!("{error:#}") }),
    }
}

async fn call(client: &Client, id: &str, method: &str, payload: &str) -> Value {
    match handler::handle_request(client, context(), &request(id, method, payload.as_bytes())).await
    {
        Ok(Ok(response)) => {
            json!({ "ok": { "status": response.status, "body": String::from_utf8_lossy(&response.body) } })
        }
        Ok(Err(text)) => json!({ "err": text }),
        Err(error) => json!({ "failed": format!("{error:#}") }),
    }
}

/// Sends bodies that differ from each other, so many at a time, and fails where one comes back as another.
async fn echo(
    client: &Client,
    method: &str,
    calls: usize,
    in_flight: usize,
    bytes: usize,
) -> anyhow::Result<usize> {
    stream::iter(0..calls)
        .map(|index| async move {
            let body: Vec<u8> = (0..bytes)
                .map(|at| ((at * 31 + at / 251 + index) % 256) as u8)
                .collect();
            let asked = request(&format!("{index}"), method, &body);
            let response = handler::handle_request(client, context(), &asked)
                .await
                .with_context(|| format!("call {index} of {bytes} bytes"))?
                .map_err(|text| anyhow::anyhow!("call {index} of {bytes} bytes: {text}"))?;
            ensure!(
                response.body == body,
                "call {index} of {bytes} bytes got {} others",
                response.body.len()
            );
            Ok(())
        })
        .buffer_unordered(in_flight)
        .try_fold(0, |done, ()| async move { Ok(done + 1) })
        .await
}

/// Waits for an answer until a line is read, then goes away from the call and, when standard input ends, altogether.
async fn drop_call(client: &Client, method: &str, payload: &str) -> anyhow::Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    let asked = call(client, "1", method, payload);
    println!("{}", json!({ "waiting": true }));
    tokio::select! {
        answered = asked => println!("{answered}"),
        line = lines.next_line() => {
            line?;
            println!("{}", json!({ "dropped": true }));
        }
    }
    while lines.next_line().await?.is_some() {}
    Ok(())
}

fn spelled_out(payload: &str) -> anyhow::Result<String> {
    Ok(match payload.strip_prefix("x*") {
        Some(times) => "x".repeat(times.parse()?),
        None => payload.to_owned(),
    })
}

fn request(id: &str, method: &str, payload: &[u8]) -> RpcRequest {
    RpcRequest {
        id: id.to_owned(),
        method: method.to_owned(),
        payload: payload.to_vec().into(),
    }
}
