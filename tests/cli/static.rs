//! The binary asks for no interpreter: it runs in an empty root.
#![cfg(target_os = "linux")]

use crate::support::daemon::Daemon;
use crate::support::peers;
use crate::support::process::copy_of_program;
use crate::support::shown::{shown, status};
use std::fs;
use std::net::TcpListener;
use std::process::Command;

const PT_INTERP: u32 = 3;

/// The types of the program headers of a 64-bit little-endian ELF file.
fn program_headers(elf: &[u8]) -> Vec<u32> {
    assert_eq!(&elf[..6], b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file");
    let number = |at: usize, len: usize| {
        elf[at..at + len].iter().rev().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    let (offset, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).map(|i| u32::try_from(number(offset + i * size, 4)).expect("four bytes")).collect()
}

#[test]
fn the_binary_names_no_interpreter() {
    let types = program_headers(&fs::read(env!("CARGO_BIN_EXE_esker")).unwrap());
    assert!(types.len() > 2 && !types.contains(&PT_INTERP), "{types:?}");
}

#[test]
fn the_binary_runs_in_an_empty_root() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    copy_of_program(env!("CARGO_BIN_EXE_esker").as_ref(), &root.path().join("esker"));
    let Ok(output) = Command::new("chroot").arg(root.path()).args(["/esker", "svc", "list", "-o", "json"]).output()
    else {
        return;
    };
    // No daemon is there: that it can say so is the point.
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("no socket at"), "{said}");
}

#[test]
fn names_are_looked_up_without_a_system_around() {
    if !rustix::process::geteuid().is_root() || peers::pebble().is_none() {
        return;
    }
    // Free now; the daemon takes it at once.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let _daemon = Daemon::options().http(port).start();
    let root = tempfile::tempdir().unwrap();
    copy_of_program(env!("CARGO_BIN_EXE_esker").as_ref(), &root.path().join("esker"));
    let info = || {
        let mut command = Command::new("chroot");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("PEBBLE_BASEURL", format!("http://pebblehost:{port}"));
        command.arg(root.path()).args(["/esker", "svc", "info", "--connect-timeout", "5s"]).output()
    };
    let Ok(output) = info() else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status(&output), "10", "{}", shown(&output));
    assert!(said.contains("`pebblehost`"), "{said}");
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/hosts"), "127.0.0.1 pebblehost\n").unwrap();
    let output = info().expect("it runs");
    assert_eq!(status(&output), "0", "{}", shown(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("v1."), "{}", shown(&output));
}
