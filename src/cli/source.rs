//! What a command reads from a file or standard input, checked before anything is sent.

use crate::error::{Error, Result};
use std::io::Read;
use std::path::Path;

/// The text of a file; `-` is standard input. A byte order mark stays: whoever reads the text knows what it means.
pub fn read_text(path: &Path) -> Result<String> {
    let cannot = |why: String| {
        Error::config(format!("cannot read `{}`: {why}", path.display())).hint("`-` reads standard input")
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| cannot(crate::config::reason(&error)))?;
    } else {
        bytes = std::fs::read(path).map_err(|error| cannot(crate::config::reason(&error)))?;
    }
    String::from_utf8(bytes).map_err(|error| cannot(format!("byte {} is not UTF-8", error.utf8_error().valid_up_to())))
}
