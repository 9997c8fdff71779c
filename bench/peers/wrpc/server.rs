//! A handler that echoes, with nothing around it: no sandbox, no policy, no limits, no deadline, no log.

use std::pin::Pin;

use futures::stream::{SelectAll, select_all};
use futures::{Stream, StreamExt as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::bindings::exported::exports::local::network_host::handler::{
    AccessLevels, Handler, RpcRequest, RpcResponse,
};

const OK: u16 = 200;

#[derive(Clone, Copy)]
pub struct Echo;

impl<Context: Send> Handler<Context> for Echo {
    async fn get_access_levels(&self, _: Context) -> anyhow::Result<AccessLevels> {
        Ok(AccessLevels::empty())
    }

    async fn handle_request(
        &self,
        _: Context,
        request: RpcRequest,
    ) -> anyhow::Result<Result<RpcResponse, String>> {
        Ok(Ok(RpcResponse {
            status: OK,
            body: request.payload,
        }))
    }
}

/// What bindings give for each function: its interface, its name, and its calls.
type Call = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;
type Calls = Pin<Box<dyn Stream<Item = anyhow::Result<Call>> + Send>>;

/// Says `ready`, and has every call run as a task until SIGTERM comes.
pub async fn run(
    functions: impl IntoIterator<Item = (&'static str, &'static str, Calls)>,
) -> anyhow::Result<()> {
    let mut calls: SelectAll<_> = select_all(functions.into_iter().map(|(_, _, calls)| calls));
    let mut end = signal(SignalKind::terminate())?;
    let mut tasks = JoinSet::new();
    println!("ready");
    loop {
        tokio::select! {
            call = calls.next() => match call {
                Some(Ok(call)) => {
                    tasks.spawn(call);
                }
                Some(Err(error)) => eprintln!("a call was not taken: {error:#}"),
                None => return Ok(()),
            },
            Some(ended) = tasks.join_next() => if let Err(error) = ended? {
                eprintln!("a call was not answered: {error:#}");
            },
            _ = end.recv() => return Ok(()),
        }
    }
}
