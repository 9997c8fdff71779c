//! Shows what a request finds of the ones before it, and uses what a language's runtime brings with it. The methods
//! are those of every plugin in test/plugins/conformance-*.

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
        AccessLevels::KEY_VALUE_READ
    }

    fn handle_request(req: RpcRequest) -> Result<RpcResponse, String> {
        let body = match req.method.as_str() {
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
