//! The records of Rexec: nothing that a terminal shows may break the parser, and how it is cut must not matter.
#![no_main]

use esker::provider::rexec::exec::record::{Damaged, Item, Parser};
use libfuzzer_sys::fuzz_target;

const NONCE: &str = "0123456789abcdef";

/// What comes out when the bytes come in pieces of this size, plain bytes in one.
fn parsed(parser: Parser, bytes: &[u8], size: usize) -> (Vec<Item>, Option<Damaged>) {
    let (mut parser, mut items) = (parser, Vec::new());
    for piece in bytes.chunks(size.max(1)) {
        parser.push(piece);
        loop {
            match (parser.take(), items.last_mut()) {
                (Ok(Some(Item::Plain(more))), Some(Item::Plain(plain))) => plain.extend(more),
                (Ok(Some(item)), _) => items.push(item),
                (Ok(None), _) => break,
                (Err(damaged), _) => return (items, Some(damaged)),
            }
        }
    }
    (items, None)
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (size, bytes) = input;
    // The word is put where the fuzzer wants one: it would not find it.
    let bytes: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| if *byte == 0x1e { format!("\x1e{NONCE}").into_bytes() } else { vec![*byte] })
        .collect();
    for parser in [Parser::new(NONCE), Parser::new(NONCE).with_plain()] {
        assert_eq!(parsed(parser.clone(), &bytes, usize::from(size)), parsed(parser, &bytes, bytes.len()));
    }
});
