//! The methods of the contract's cases (conformance/contract.test.yaml), and more that show what a request finds of the
//! ones before it and use what a language's runtime brings with it. The methods are those of every plugin in
//! test/plugins/conformance-*.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:conformance;
        world conformance {
            include local:network-host/network-plugin@1.0.0;
            import wasi:random/random@0.2.0;
        }
    ",
    world: "test:conformance/conformance",
    generate_all,
});

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use exports::local::network_host::handler::{AccessLevels, Guest, RpcRequest, RpcResponse};
use local::network_host::key_value_store::KeyValueStore;
use wasi::random::random::get_random_bytes;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static HELD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

struct Conformance;

impl Guest for Conformance {
    fn get_access_levels() -> AccessLevels {
        AccessLevels::KEY_VALUE_READ | AccessLevels::KEY_VALUE_WRITE
    }

    fn handle_request(req: RpcRequest) -> Result<RpcResponse, String> {
        let body = match req.method.as_str() {
            "echo" => req.payload,
            "id" => req.id.into_bytes(),
            "méthode-方法-🙂" => req.method.into_bytes(),
            "status" => return Ok(RpcResponse { status: number(&req.payload)? as u16, body: Vec::new() }),
            "fail" => return Err(text(&req.payload)),
            "remember" => LAST.replace(req.payload),
            "get" => return get(&req.payload),
            "set" => set(&req.payload)?,
            "state" => state(req.payload),
            "random" => get_random_bytes(16),
            "hold" => hold(req.payload)?,
            "descend" => level(number(&req.payload)?, &KeyValueStore::new("conformance"))?.to_string().into_bytes(),
            "endless" => endless(1).to_le_bytes().to_vec(),
            "trap" => panic!("asked to"),
            _ => return Err("no such method".into()),
        };
        Ok(RpcResponse { status: 200, body })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The payload's lines; the last one takes all that is left.
fn fields(payload: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    payload.splitn(count, |byte| *byte == b'\n')
}

fn get(payload: &[u8]) -> Result<RpcResponse, String> {
    let mut lines = fields(payload, 2).map(text);
    let store = KeyValueStore::new(&lines.next().unwrap_or_default());
    Ok(match store.get(&lines.next().unwrap_or_default())? {
        Some(body) => RpcResponse { status: 200, body },
        None => RpcResponse { status: 404, body: Vec::new() },
    })
}

fn set(payload: &[u8]) -> Result<Vec<u8>, String> {
    let mut lines = fields(payload, 3);
    let store = KeyValueStore::new(&text(lines.next().unwrap_or_default()));
    let key = text(lines.next().unwrap_or_default());
    store.set(&key, lines.next().unwrap_or_default())?;
    Ok(Vec::new())
}

/// How many calls there were, and what the last one brought.
fn state(payload: Vec<u8>) -> Vec<u8> {
    let calls = CALLS.replace(CALLS.get() + 1);
    let last = LAST.replace(payload);
    [format!("{calls} ").into_bytes(), last].concat()
}

/// Takes so many KiB of memory and keeps them.
fn hold(payload: Vec<u8>) -> Result<Vec<u8>, String> {
    let block = vec![b'x'; number(&payload)? as usize * 1024];
    HELD.with_borrow_mut(|held| held.push(block));
    Ok(payload)
}

/// Calls itself so many times, and at the bottom waits for the store.
fn level(left: u32, store: &KeyValueStore) -> Result<u32, String> {
    let frame = black_box([left; 16]);
    if left == 0 {
        store.get("bottom")?;
        return Ok(0);
    }
    Ok(level(frame[3] - 1, store)? + 1)
}

/// Calls itself until the stack is used up.
#[allow(unconditional_recursion)]
fn endless(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    endless(frame[7] + 1) ^ frame[3]
}

fn number(payload: &[u8]) -> Result<u32, String> {
    String::from_utf8_lossy(payload).parse().map_err(|_| "no number".into())
}

export!(Conformance);
