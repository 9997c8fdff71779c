//! The bytes of an echo, written down: what is sent without the crates must cost the sender as little as possible.

use anyhow::ensure;

pub const INSTANCE: &str = "local:network-host/handler@1.0.0";
pub const HANDLE_REQUEST: &str = "handle-request";
pub const METHOD: &str = "echo";
pub const PAYLOAD_BYTES: usize = 64;

/// `result` ok, 200 as LEB128, and the length of the body.
const ANSWER_HEAD: [u8; 4] = [0, 0xc8, 0x01, PAYLOAD_BYTES as u8];

/// Differs from call to call.
pub fn payload(number: u64) -> [u8; PAYLOAD_BYTES] {
    let mut payload = [0; PAYLOAD_BYTES];
    for (part, bytes) in payload.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&number.wrapping_mul(part as u64 + 1).to_le_bytes());
    }
    payload
}

/// The parameters of a call: a record of two strings and a list, all shorter than LEB128's one byte holds.
pub fn parameters(number: u64, payload: &[u8; PAYLOAD_BYTES]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    for part in [number.to_string().as_bytes(), METHOD.as_bytes(), payload] {
        bytes.push(part.len() as u8);
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Fails unless these are the bytes of an answer that has the payload for a body.
pub fn check(answer: &[u8], payload: &[u8; PAYLOAD_BYTES]) -> anyhow::Result<()> {
    let body = answer.strip_prefix(&ANSWER_HEAD);
    ensure!(
        body == Some(payload),
        "the answer is {}",
        String::from_utf8_lossy(answer)
    );
    Ok(())
}
