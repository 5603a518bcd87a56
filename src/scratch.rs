//! Files for bytes that memory should not hold.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that has no name by the time it is used, so nothing is left behind however we end. Only we can read it.
pub fn file() -> io::Result<File> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut options = File::options();
    options.read(true).write(true).create_new(true).mode(0o600);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!(".esker-{}-{number}", std::process::id()));
        match options.open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
