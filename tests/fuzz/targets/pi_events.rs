//! Whatever an agent writes, in whatever pieces: nothing panics, and the pieces make no difference.
#![no_main]

use esker::provider::pi::protocol::Protocol;
use esker::provider::pi::version::Build;
use libfuzzer_sys::fuzz_target;
use std::time::Instant;

fn events(builds: &str, pieces: &[&[u8]], now: Instant) -> Vec<String> {
    let build = Build::parse(builds).expect("it is one");
    let mut protocol = Protocol::new(build, None, now);
    for piece in pieces {
        protocol.feed(piece, now);
    }
    protocol.end(now);
    std::iter::from_fn(|| protocol.event()).map(|event| format!("{event:?}")).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let build = ["0.73.1", "0.87.1", "omp/18.2.3"][usize::from(*first) % 3];
    let size = usize::from(*first / 3).max(1);
    let pieces: Vec<&[u8]> = data.chunks(size).collect();
    let now = Instant::now();
    assert_eq!(events(build, &[data], now), events(build, &pieces, now));
});
