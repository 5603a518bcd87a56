//! The binary asks for no interpreter: it runs in an empty root.
#![cfg(target_os = "linux")]

use std::fs;
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
    fs::copy(env!("CARGO_BIN_EXE_esker"), root.path().join("esker")).unwrap();
    let Ok(output) = Command::new("chroot").arg(root.path()).args(["/esker", "svc", "list", "-o", "json"]).output()
    else {
        return;
    };
    // No daemon is there: that it can say so is the point.
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("no socket at"), "{said}");
}
