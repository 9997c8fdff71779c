//! wRPC over TCP, as the released crates have it: their server with an echo in Rust for a handler, and calls for whichever
//! server answers at an address, by their client or as bytes.
//!
//! usage: bench-wrpc-tcp serve ADDRESS
//!        bench-wrpc-tcp load ADDRESS bindings|bytes IN_FLIGHT WARM_UP_MS MEASURE_MS

#[path = "../../bindings.rs"]
mod bindings;
#[path = "../../load.rs"]
mod load;
#[path = "../../server.rs"]
mod server;
#[path = "../../values.rs"]
mod values;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use bindings::client::local::network_host::handler;
use bindings::exported;
use load::{Answer, Caller, Times};
use values::{HANDLE_REQUEST, INSTANCE};

const VERSION: u8 = 0;
/// The path of plain parameters and results.
const ROOT: u8 = 0;
/// An answer that is longer is not one to an echo of this size.
const MAX_ANSWER_BYTES: u64 = 4096;

type Client = wrpc_transport::tcp::Client<SocketAddr>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", address] => serve(address).await,
        ["load", address, "bindings", times @ ..] => {
            let times = Times::parse(times)?;
            let client = Client::from(address.parse::<SocketAddr>()?);
            load::run(&times, vec![Bindings(client); times.in_flight]).await
        }
        ["load", address, "bytes", times @ ..] => {
            let times = Times::parse(times)?;
            load::run(&times, vec![Bytes(address.parse()?); times.in_flight]).await
        }
        _ => bail!(
            "usage: serve ADDRESS | load ADDRESS bindings|bytes IN_FLIGHT WARM_UP_MS MEASURE_MS"
        ),
    }
}

async fn serve(address: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let wrpc = Arc::new(wrpc_transport::Server::default());
    let functions = exported::serve(wrpc.as_ref(), server::Echo).await?;
    tokio::spawn(accept_all(listener, Arc::clone(&wrpc)));
    server::run(functions).await
}

type Receiving = BufReader<tokio::net::tcp::OwnedReadHalf>;
type Sending = tokio::net::tcp::OwnedWriteHalf;

/// A connection that says nothing keeps no other one waiting.
async fn accept_all(
    listener: TcpListener,
    wrpc: Arc<wrpc_transport::Server<SocketAddr, Receiving, Sending>>,
) -> anyhow::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (receiving, sending) = stream.into_split();
        let wrpc = Arc::clone(&wrpc);
        tokio::spawn(async move {
            if let Err(error) = wrpc.accept(peer, sending, BufReader::new(receiving)).await {
                eprintln!("a connection was not taken: {error}");
            }
        });
    }
}

/// By the crates' client.
#[derive(Clone)]
struct Bindings(Client);

impl Caller for Bindings {
    async fn call(&mut self, number: u64) -> anyhow::Result<Answer> {
        let request = bindings::request(number);
        let answered = handler::handle_request(&self.0, (), &request).await?;
        bindings::check(answered, &request)?;
        Ok(Answer::Right)
    }
}

/// By a socket alone.
#[derive(Clone)]
struct Bytes(SocketAddr);

impl Caller for Bytes {
    async fn call(&mut self, number: u64) -> anyhow::Result<Answer> {
        let payload = values::payload(number);
        let mut stream = TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        stream
            .write_all(&invocation(&values::parameters(number, &payload)))
            .await?;
        stream.shutdown().await?;
        let mut answer = Vec::with_capacity(256);
        (&mut stream)
            .take(MAX_ANSWER_BYTES)
            .read_to_end(&mut answer)
            .await?;
        values::check(&data_of(&answer)?, &payload)?;
        Ok(Answer::Right)
    }
}

fn invocation(parameters: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for name in [INSTANCE, HANDLE_REQUEST] {
        bytes.push(name.len() as u8);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.extend_from_slice(&[ROOT, parameters.len() as u8]);
    bytes.extend_from_slice(parameters);
    bytes
}

/// The bytes of all frames, none of which is longer than LEB128's one byte says.
fn data_of(mut frames: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(frames.len());
    while let [path, length, rest @ ..] = frames {
        ensure!(
            *path == ROOT && *length < 0x80,
            "a frame begins with {path} {length}"
        );
        let (bytes, others) = rest
            .split_at_checked(usize::from(*length))
            .context("a frame is cut off")?;
        data.extend_from_slice(bytes);
        frames = others;
    }
    ensure!(frames.is_empty(), "a frame is cut off");
    Ok(data)
}
