//! Frames of HTTP/2 that no library sends: those that are wrong, and those that come at their own time.

use brownout_service::ErrorCode;
use hyper::Response;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const GOAWAY: u8 = 0x7;

const PADDED: u8 = 0x8;
const END_HEADERS: u8 = 0x4;

/// Says that no stream after `last` was worked on.
pub(crate) fn goaway(last: u32, code: ErrorCode) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.number().to_be_bytes()].concat())
}

/// A piece of a body with more padding than it has bytes, which RFC 9113 §6.1 makes an error of the connection.
pub(crate) fn malformed_data(stream: u32) -> Vec<u8> {
    frame(DATA, PADDED, stream, &[u8::MAX])
}

/// The first half of a head as it goes over the wire.
pub(crate) fn half_head(stream: u32, head: &Response<()>) -> Vec<u8> {
    let mut block = Vec::new();
    field(&mut block, b":status", head.status().as_str().as_bytes());
    for (name, value) in head.headers() {
        field(&mut block, name.as_str().as_bytes(), value.as_bytes());
    }
    let mut bytes = frame(HEADERS, END_HEADERS, stream, &block);
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field in words, which whoever reads it does not remember: right whatever was sent before. RFC 7541 §6.2.2.
fn field(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    for text in [name, value] {
        length(block, text.len());
        block.extend_from_slice(text);
    }
}

/// A number with a prefix of seven bits. RFC 7541 §5.1.
fn length(block: &mut Vec<u8>, length: usize) {
    const PREFIX_MAX: usize = 127;
    let low = |number: usize| u8::try_from(number % 128).expect("less than 128");
    let Some(mut left) = length.checked_sub(PREFIX_MAX) else {
        return block.push(low(length));
    };
    block.push(low(PREFIX_MAX));
    while left >= 128 {
        block.push(low(left) | 0x80);
        left /= 128;
    }
    block.push(low(left));
}

#[cfg(test)]
mod tests {
    use super::{goaway, half_head, length, malformed_data};
    use brownout_service::ErrorCode;

    #[test]
    fn frames_are_those_of_the_rfc() {
        assert_eq!(goaway(5, ErrorCode::Cancel), b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x05\0\0\0\x08");
        assert_eq!(malformed_data(3), b"\0\0\x01\0\x08\0\0\0\x03\xff");
    }

    #[test]
    fn half_a_head_is_less_than_it_says() {
        let head = hyper::Response::builder().header("server", "x".repeat(200)).body(()).unwrap();
        let half = half_head(1, &head);
        let announced = u32::from_be_bytes([0, half[0], half[1], half[2]]) as usize;
        assert_eq!(half[3..9], [1, 4, 0, 0, 0, 1]);
        assert_eq!(half.len(), (9 + announced) / 2);
        assert!(half[9..].starts_with(b"\0\x07:status\x03200\0\x06server\x7f\x49xxx"));
    }

    /// RFC 7541 C.1 has 1337 with a prefix of five bits as 31, 154, 10; with one of seven bits the rule gives these.
    #[test]
    fn lengths() {
        let told = |number| {
            let mut block = Vec::new();
            length(&mut block, number);
            block
        };
        assert_eq!([told(0), told(126)], [[0], [126]]);
        assert_eq!([told(127), told(254)], [[127, 0], [127, 127]]);
        assert_eq!(told(127 + 1337 - 31), [127, 154, 10]);
    }
}
