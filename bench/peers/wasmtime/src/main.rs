//! A responder as someone would write it who knows Wasmtime: async-nats, a fresh instance for every request from a
//! prepared one, instances and fiber stacks from the pooling allocator, key-value operations by MongoDB's own driver.
//! No policy, no limits but memory, no deadline, no request log.
//!
//! usage: bench-wasmtime-host SUBJECT NATS_URL MONGODB_URL|- COMPONENT

mod no_http;
mod plugin;
mod store;

use std::env;
use std::sync::Arc;

use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures::StreamExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use plugin::{Answer, Host};
use store::Store;

/// Requests that run at a time; the pool has room for as many instances.
const CONCURRENCY: usize = 512;
const GROUP: &str = "bench";

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [subject, nats_url, store_url, component] = arguments.as_slice() else {
        return Err("usage: bench-wasmtime-host SUBJECT NATS_URL MONGODB_URL|- COMPONENT".into());
    };
    let store = if store_url == "-" {
        None
    } else {
        Some(Store::open(store_url).await?)
    };
    let host = Arc::new(Host::load(component, store, CONCURRENCY as u32)?);
    let client = async_nats::connect(nats_url).await?;
    let mut requests = client
        .queue_subscribe(subject.clone(), GROUP.into())
        .await?;
    client.flush().await?;
    println!("ready");

    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let mut end = signal(SignalKind::terminate())?;
    loop {
        let request = tokio::select! {
            request = requests.next() => request,
            _ = end.recv() => None,
        };
        let Some(request) = request else { break };
        let permit = permits.clone().acquire_owned().await?;
        let (host, client) = (host.clone(), client.clone());
        tokio::spawn(async move {
            let _permit = permit;
            answer(&host, &client, request).await;
        });
    }
    client.drain().await?;
    Ok(())
}

async fn answer(host: &Host, client: &Client, request: Message) {
    let Some(reply) = request.reply else { return };
    let method = request.subject.rsplit('.').next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    let body = match host.call(method, &request.payload).await {
        Ok(Answer { status, body }) => {
            headers.insert("Rpc-Status", status.to_string());
            Bytes::from(body)
        }
        Err(error) => {
            eprintln!("{error:?}");
            headers.insert("Rpc-Error", "failed");
            Bytes::new()
        }
    };
    if let Err(error) = client.publish_with_headers(reply, headers, body).await {
        eprintln!("{error}");
    }
}
