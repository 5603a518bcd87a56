//! A command line as the daemon takes it apart: quotes and backslashes as in a shell, but no shell.

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text, quotes removed.
    pub text: String,
    /// Whether any of it was quoted or escaped.
    pub quoted: bool,
}

/// Splits `command` into words. Words that start with `#` begin a comment up to the end of the line.
///
/// # Errors
/// What is wrong with it, as a phrase: an open quote, or nothing after a backslash.
pub fn split(command: &str) -> Result<Vec<Word>, &'static str> {
    const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut words = Vec::new();
    let mut chars = command.chars().peekable();
    loop {
        while chars.next_if(|c| SPACES.contains(c)).is_some() {}
        match chars.peek() {
            None => return Ok(words),
            Some('#') => {
                while chars.next().is_some_and(|c| c != '\n') {}
                continue;
            }
            Some(_) => {}
        }
        let mut word = Word { text: String::new(), quoted: false };
        while let Some(c) = chars.next_if(|c| !SPACES.contains(c)) {
            word.quoted |= matches!(c, '\'' | '"' | '\\');
            match c {
                '\'' => loop {
                    match chars.next().ok_or("a single quote is not closed")? {
                        '\'' => break,
                        c => word.text.push(c),
                    }
                },
                '"' => loop {
                    match chars.next().ok_or("a double quote is not closed")? {
                        '"' => break,
                        '\\' => word.text.push(chars.next().ok_or("a double quote is not closed")?),
                        c => word.text.push(c),
                    }
                },
                '\\' => word.text.push(chars.next().ok_or("nothing follows the last backslash")?),
                c => word.text.push(c),
            }
        }
        words.push(word);
    }
}

/// Checks the optional group of default arguments, `cmd [ --default args ]`: last, once, and not first.
///
/// # Errors
/// What is wrong with it, as a phrase.
pub fn check_group(words: &[Word]) -> Result<(), &'static str> {
    let mut inside = false;
    let mut closed = false;
    for (index, word) in words.iter().enumerate() {
        // The daemon looks at words after their quotes are gone: a quoted bracket is a bracket.
        match (word.text.as_str(), inside) {
            ("[", true) => return Err("a `[ … ]` group cannot hold another one"),
            ("]", true) => inside = false,
            (_, true) => {}
            _ if closed => return Err("nothing can follow the `[ … ]` group"),
            ("[", false) if index == 0 => return Err("it cannot start with a `[ … ]` group"),
            ("[", false) => (inside, closed) = (true, true),
            ("]", false) => return Err("a `]` has no `[` before it"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check_group, split};

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (command, expected) in [
            ("", vec![]),
            ("  \t\n ", vec![]),
            ("one two", vec!["one", "two"]),
            (r#"a "b c" 'd e' f\ g"#, vec!["a", "b c", "d e", "f g"]),
            (r#"a"b"'c'd"#, vec!["abcd"]),
            (r#""a\"b\\c\d""#, vec![r#"a"b\cd"#]),
            (r"'a\b'", vec![r"a\b"]),
            ("''", vec![""]),
            ("a # b\nc#d", vec!["a", "c#d"]),
            ("#", vec![]),
        ] {
            let words: Vec<String> = split(command).expect(command).into_iter().map(|word| word.text).collect();
            assert_eq!(words, expected, "{command:?}");
        }
    }

    #[test]
    fn open_ends_are_refused() {
        for command in ["'a", "\"a", "\"a\\", "a \\"] {
            assert!(split(command).is_err(), "{command:?}");
        }
    }

    #[test]
    fn a_group_stands_last_and_once() {
        for command in ["a", "a [ b c ]", "a [", "a [ ]", "a b [ c"] {
            assert_eq!(check_group(&split(command).expect(command)), Ok(()), "{command:?}");
        }
        for command in ["[ a ]", "a [ b [ c ] ]", "a [ b ] c", "a ]", "a [ b ] [ c ]", "a '[' b ']' c"] {
            assert!(check_group(&split(command).expect(command)).is_err(), "{command:?}");
        }
    }
}
