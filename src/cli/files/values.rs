//! Values of flags that several commands of `files` take.

use crate::provider::exec::{Account, Owner};

/// `755`, `0755`, `0o755`; `0` is 0 (ux 9.7).
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o7777 && !digits.starts_with('+') => Ok(mode),
        _ => Err("a mode is octal, such as 644 or 0755".to_owned()),
    }
}

/// `USER[:GROUP]`, each by name or number.
pub(super) fn owner(text: &str) -> Result<Owner, String> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let account = |text: &str| match text {
        "" => Err("an owner is USER or USER:GROUP, by name or number".to_owned()),
        _ => Ok(text.parse().map_or_else(|_| Account::Name(text.to_owned()), Account::Id)),
    };
    Ok(Owner { user: Some(account(user)?), group: group.map(account).transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_however_they_are_written() {
        for (text, wanted) in [("644", 0o644), ("0755", 0o755), ("0o755", 0o755), ("0", 0), ("4755", 0o4755), ("7", 7)]
        {
            assert_eq!(mode(text), Ok(wanted), "{text}");
        }
        for text in ["", "8", "u+x", "-1", "+644", "77777", "0x1"] {
            assert!(mode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn owners_are_names_or_numbers() {
        let named = |name: &str| Some(Account::Name(name.into()));
        assert_eq!(owner("web"), Ok(Owner { user: named("web"), group: None }));
        assert_eq!(owner("33:adm"), Ok(Owner { user: Some(Account::Id(33)), group: named("adm") }));
        assert!(owner("").is_err() && owner(":adm").is_err() && owner("web:").is_err());
    }
}
