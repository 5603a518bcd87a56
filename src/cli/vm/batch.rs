//! Names with a number in them: `NAME-{n}` with `--count`.

use crate::error::{Error, Result};

/// What stands for the number.
const NUMBER: &str = "{n}";

/// Every text, with one for each number where it has a place for it. `None` leaves all as they are.
pub(super) fn numbered(texts: &[String], count: Option<u32>) -> Result<Vec<String>> {
    let Some(count) = count else {
        return match texts.iter().find(|text| text.contains(NUMBER)) {
            Some(text) => {
                Err(Error::usage(format!("`{text}` has a number in it, and nothing says how many"))
                    .hint("pass --count N"))
            }
            None => Ok(texts.to_vec()),
        };
    };
    let mut all = Vec::new();
    for text in texts {
        if !text.contains(NUMBER) {
            return Err(Error::usage(format!("--count makes several of `{text}`, which would all have one name"))
                .hint(format!("write {NUMBER} where the number goes, such as {text}-{NUMBER}")));
        }
        all.extend((1..=count).map(|number| text.replace(NUMBER, &number.to_string())));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_where_they_are_wanted() {
        let texts = ["a-{n}".to_owned(), "b".to_owned()];
        assert_eq!(numbered(&texts[..1], Some(3)).unwrap(), ["a-1", "a-2", "a-3"]);
        assert_eq!(numbered(&texts[1..], None).unwrap(), ["b"]);
        assert!(numbered(&texts[..1], None).is_err() && numbered(&texts[1..], Some(2)).is_err());
    }
}
