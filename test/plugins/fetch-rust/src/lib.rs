//! Sends one request over wasi:http and replies as the server did, and has the methods of the contract's cases
//! (conformance/contract.test.yaml) that need no level.
//!
//! Payload: a method, a URL, and where there are more lines, the body.

wit_bindgen::generate!({
    path: "../../../wit",
    world: "network-plugin",
    generate_all,
});

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size, unreachable};
use core::cell::Cell;

use exports::local::network_host::handler::{AccessLevels, Guest, RpcRequest, RpcResponse};
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, Scheme};
use wasi::io::streams::StreamError;

/// Blocks lie one after the other and are never taken back: a plugin's state lasts one request.
struct Bump(Cell<usize>);

// SAFETY: a plugin has one thread.
unsafe impl Sync for Bump {}

const PAGE_BYTES: usize = 65536;

unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = memory_size(0) * PAGE_BYTES;
        let end = if self.0.get() == 0 { held } else { self.0.get() };
        let start = (end + layout.align() - 1) & !(layout.align() - 1);
        let next = start + layout.size();
        if next > held && memory_grow(0, (next - held).div_ceil(PAGE_BYTES)) == usize::MAX {
            return core::ptr::null_mut();
        }
        self.0.set(next);
        start as *mut u8
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump(Cell::new(0));

/// What the last call of `remember` brought.
struct Last(Cell<Vec<u8>>);

// SAFETY: a plugin has one thread.
unsafe impl Sync for Last {}

static LAST: Last = Last(Cell::new(Vec::new()));

fn number(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))
}

struct Fetch;

const MAX_WRITE: usize = 4096;
const MAX_READ: u64 = 65536;

impl Guest for Fetch {
    fn get_access_levels() -> AccessLevels {
        AccessLevels::OUTBOUND_HTTP
    }

    fn handle_request(req: RpcRequest) -> Result<RpcResponse, String> {
        let answer = |body| Ok(RpcResponse { status: 200, body });
        match req.method.as_str() {
            "echo" => return answer(req.payload),
            "id" => return answer(req.id.into_bytes()),
            "méthode-方法-🙂" => return answer(req.method.into_bytes()),
            "status" => return Ok(RpcResponse { status: number(&req.payload), body: Vec::new() }),
            "fail" => return Err(String::from_utf8(req.payload).unwrap_or_default()),
            "trap" => unreachable(),
            "remember" => return answer(LAST.0.replace(req.payload)),
            _ => {}
        }
        let text = String::from_utf8_lossy(&req.payload).into_owned();
        let mut parts = text.splitn(3, '\n');
        let method = parts.next().unwrap_or_default();
        let url = parts.next().unwrap_or_default().trim_start_matches("http://");
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        send(method, authority, path, parts.next())
    }
}

/// Errors are told by constant words: to format a code takes more than twice the rest of this component.
fn send(method: &str, authority: &str, path: &str, body: Option<&str>) -> Result<RpcResponse, String> {
    let fields = Fields::new();
    fields.append("x-from", b"rust").map_err(|_| "a field was refused")?;
    let request = OutgoingRequest::new(fields);
    let refused = |()| "the request was refused";
    request.set_method(&Method::Other(method.into())).map_err(refused)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(path)).map_err(refused)?;
    let outgoing = body.map(|_| request.body()).transpose().map_err(refused)?;
    let future = handle(request, None).map_err(|_| "the request was not sent")?;
    if let (Some(outgoing), Some(body)) = (outgoing, body) {
        write(outgoing, body.as_bytes())?;
    }
    future.subscribe().block();
    let answer = future.get().ok_or("no response")?.map_err(|()| "taken before")?;
    let response = answer.map_err(|_| "the request failed")?;
    let body = read(response.consume().map_err(refused)?)?;
    Ok(RpcResponse { status: response.status(), body })
}

fn write(outgoing: OutgoingBody, body: &[u8]) -> Result<(), &'static str> {
    let stream = outgoing.write().map_err(|()| "no stream")?;
    for chunk in body.chunks(MAX_WRITE) {
        stream.blocking_write_and_flush(chunk).map_err(|_| "the body was not taken")?;
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|_| "the body was not finished")
}

fn read(body: IncomingBody) -> Result<Vec<u8>, &'static str> {
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut whole = Vec::new();
    loop {
        match stream.blocking_read(MAX_READ) {
            Ok(chunk) => whole.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(_) => return Err("the response broke off"),
        }
    }
    drop(stream);
    drop(IncomingBody::finish(body));
    Ok(whole)
}

export!(Fetch);
