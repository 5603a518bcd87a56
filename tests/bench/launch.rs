//! Runs a command and writes what it took to a file: wall nanoseconds, CPU microseconds, peak KiB and exit status.
//!
//! A small process of its own, because a child's peak memory starts at that of whoever started it: Python's would hide
//! ours. Compiled by `tests/bench/run`, for Linux on 64 bits.

use std::io::Write;
use std::process::Command;
use std::time::Instant;

/// `struct rusage`: two `struct timeval` and fourteen counters, of which the first is the peak in KiB.
type Usage = [i64; 18];

unsafe extern "C" {
    fn wait4(pid: i32, status: *mut i32, options: i32, usage: *mut Usage) -> i32;
}

fn main() {
    let mut args = std::env::args_os().skip(1);
    let result = args.next().expect("usage: launch RESULT COMMAND [ARG…]");
    let program = args.next().expect("usage: launch RESULT COMMAND [ARG…]");
    let start = Instant::now();
    let child = Command::new(&program).args(args).spawn().expect("the command starts");
    let (mut status, mut usage) = (0, [0; 18]);
    // SAFETY: both pointers are to live values of the size that the call writes.
    let waited = unsafe { wait4(child.id() as i32, &mut status, 0, &mut usage) };
    let wall = start.elapsed().as_nanos();
    assert_eq!(waited, child.id() as i32);
    let cpu = (usage[0] + usage[2]) * 1_000_000 + usage[1] + usage[3];
    let code = if status & 0x7f == 0 { status >> 8 & 0xff } else { 128 + (status & 0x7f) };
    let mut file = std::fs::File::create(result).expect("a place for the result");
    write!(file, "{wall} {cpu} {} {code}", usage[4]).expect("the result is written");
}
