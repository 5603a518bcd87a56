//! CSV as RFC 4180 has it, but with `\n` line ends: that is what every Unix tool that reads it expects.

use std::io::{self, Write};

/// Writes one record.
pub(super) fn record<S: AsRef<str>>(out: &mut dyn Write, fields: impl IntoIterator<Item = S>) -> io::Result<()> {
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        let field = field.as_ref();
        if field.contains(['"', ',', '\n', '\r']) || field.starts_with(' ') || field.ends_with(' ') {
            write!(out, "\"{}\"", field.replace('"', "\"\""))?;
        } else {
            out.write_all(field.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        super::record(&mut out, ["a", "", "b,c", "say \"hi\"", "two\nlines", " x"]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a,,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",\" x\"\n");
    }
}
