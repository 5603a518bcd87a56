//! A command line split into words as a shell splits them, without a shell's expansions.

/// Splits `text` into words: quotes and backslashes group, nothing is expanded.
///
/// # Errors
///
/// A quote that is not closed, or a backslash at the end.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("EOF found when expecting closing quote")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("EOF found when expecting closing quote")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("EOF found when expecting closing quote")? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let c = chars.next().ok_or("EOF found after escape character")?;
                word.get_or_insert_default().push(c);
            }
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The words of a service's command; its default arguments, in `[ … ]` at the end, are given (section 6.2).
pub(super) fn service(command: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let (mut opened, mut closed) = (false, false);
    for word in split(command)? {
        match word.as_str() {
            _ if closed => return Err("cannot have any arguments after [ ... ] group"),
            "[" if words.is_empty() => return Err("cannot start command with [ ... ] group"),
            "[" if opened => return Err("cannot nest [ ... ] groups"),
            "[" => opened = true,
            "]" if opened => closed = true,
            _ => words.push(word),
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let words = |text| split(text).unwrap();
        assert_eq!(
            words(r#"sh -c 'echo "a b"; exit' "c \"d\\" e\ f '' g"h"i"#),
            ["sh", "-c", "echo \"a b\"; exit", "c \"d\\", "e f", "", "ghi"]
        );
        assert_eq!(words("  "), Vec::<String>::new());
        assert!(split("a 'b").is_err() && split("a \"b").is_err() && split("a \\").is_err());
    }

    #[test]
    fn default_arguments_are_part_of_the_command() {
        assert_eq!(service("a b [ c d ]").unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(service("a [ b").unwrap(), ["a", "b"]);
        assert_eq!(service("a ]").unwrap(), ["a", "]"]);
        for wrong in ["[ a ]", "a [ [ b ] ]", "a [ b ] c", "a 'b"] {
            assert!(service(wrong).is_err(), "{wrong}");
        }
    }
}
