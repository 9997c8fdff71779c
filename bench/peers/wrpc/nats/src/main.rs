//! wRPC over NATS, as the last released crates have it: their server with an echo in Rust for a handler, and calls for
//! whichever server answers below a prefix, by their client or as messages. The NATS server is that of `NATS_URL`.
//!
//! usage: bench-wrpc-nats serve PREFIX
//!        bench-wrpc-nats load PREFIX bindings|bytes IN_FLIGHT WARM_UP_MS MEASURE_MS

#[path = "../../bindings.rs"]
mod bindings;
#[path = "../../load.rs"]
mod load;
#[path = "../../server.rs"]
mod server;
#[path = "../../values.rs"]
mod values;

use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::Subscriber;
use futures::StreamExt as _;

use bindings::client::local::network_host::handler;
use bindings::exported;
use load::{Answer, Caller, Times};
use values::{HANDLE_REQUEST, INSTANCE};

const GROUP: &str = "bench";

/// No call takes nearly as long. The crates' client drops an answer now and then that comes while its task has just been put
/// aside by the system: it has looked for new subscriptions then, and not yet for messages. Such a call waits for ever.
const LOST_AFTER: Duration = Duration::from_secs(5);

type Client = wrpc_transport_nats::Client;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let nats = async_nats::connect(std::env::var("NATS_URL").context("NATS_URL")?).await?;
    match arguments.as_slice() {
        ["serve", prefix] => {
            let wrpc = Client::new(nats.clone(), *prefix, Some(GROUP.into())).await?;
            let functions = exported::serve(&wrpc, server::Echo).await?;
            nats.flush().await?;
            server::run(functions).await
        }
        ["load", prefix, "bindings", times @ ..] => {
            let times = Times::parse(times)?;
            let wrpc = Client::new(nats, *prefix, None).await?;
            load::run(&times, vec![Bindings(wrpc); times.in_flight]).await
        }
        ["load", prefix, "bytes", times @ ..] => {
            let times = Times::parse(times)?;
            let mut callers = Vec::with_capacity(times.in_flight);
            for _ in 0..times.in_flight {
                callers.push(Bytes::open(&nats, prefix).await?);
            }
            nats.flush().await?;
            load::run(&times, callers).await
        }
        _ => bail!(
            "usage: serve PREFIX | load PREFIX bindings|bytes IN_FLIGHT WARM_UP_MS MEASURE_MS"
        ),
    }
}

/// By the crates' client.
#[derive(Clone)]
struct Bindings(Client);

impl Caller for Bindings {
    async fn call(&mut self, number: u64) -> anyhow::Result<Answer> {
        let request = bindings::request(number);
        let called = handler::handle_request(&self.0, None, &request);
        let Ok(answered) = tokio::time::timeout(LOST_AFTER, called).await else {
            return Ok(Answer::Lost);
        };
        bindings::check(answered?, &request)?;
        Ok(Answer::Right)
    }
}

/// By a connection to NATS alone, with an inbox that serves for one call after the other.
struct Bytes {
    nats: async_nats::Client,
    subject: String,
    inbox: String,
    messages: Subscriber,
}

impl Bytes {
    async fn open(nats: &async_nats::Client, prefix: &str) -> anyhow::Result<Self> {
        let own = nats.new_inbox();
        Ok(Self {
            nats: nats.clone(),
            subject: format!("{prefix}.wrpc.0.0.1.{INSTANCE}.{HANDLE_REQUEST}"),
            inbox: format!("{own}.c"),
            messages: nats.subscribe(format!("{own}.>")).await?,
        })
    }

    async fn next(&mut self) -> anyhow::Result<async_nats::Message> {
        self.messages.next().await.context("the connection ended")
    }
}

impl Caller for Bytes {
    async fn call(&mut self, number: u64) -> anyhow::Result<Answer> {
        let payload = values::payload(number);
        let parameters = values::parameters(number, &payload);
        self.nats
            .publish_with_reply(self.subject.clone(), self.inbox.clone(), parameters.into())
            .await?;
        let handshake = self.next().await?;
        let reply = handshake.reply.with_context(|| {
            format!(
                "no handshake: {:?} {:?}",
                handshake.status, handshake.description
            )
        })?;
        self.nats
            .publish(format!("{reply}.params"), [].as_slice().into())
            .await?;
        let mut answer = Vec::with_capacity(128);
        loop {
            let message = self.next().await?;
            if message.payload.is_empty() {
                break;
            }
            answer.extend_from_slice(&message.payload);
        }
        values::check(&answer, &payload)?;
        Ok(Answer::Right)
    }
}
