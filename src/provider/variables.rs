//! Environment variables of the systems' own clients.

use super::Vars;
use crate::error::{Error, Result};

/// The value of variables that mean the same, and which of them has it: those that are set must agree (ux 2.5). An
/// empty one is not set.
pub fn one_of(vars: Vars<'_>, names: &[&'static str]) -> Result<Option<(&'static str, String)>> {
    let set = names.iter().filter_map(|name| Some((*name, vars(name)?))).filter(|(_, value)| !value.trim().is_empty());
    let set: Vec<_> = set.collect();
    // An address may end in a slash or not.
    let plain = |value: &str| value.trim().trim_end_matches('/').to_owned();
    if let Some((other, _)) = set.iter().find(|(_, value)| plain(value) != plain(&set[0].1)) {
        let what = format!("{} and {other} are both set and differ", set[0].0);
        return Err(Error::config(what).hint("unset one of them"));
    }
    Ok(set.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Option<(&'static str, String)>> {
        one_of(&|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()), &["A", "B"])
    }

    #[test]
    fn those_that_are_set_agree() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[("A", " "), ("B", "x")]).unwrap(), Some(("B", "x".to_owned())));
        assert_eq!(read(&[("A", "http://x/"), ("B", "http://x")]).unwrap(), Some(("A", "http://x/".to_owned())));
        assert_eq!(read(&[("A", "x"), ("B", "y")]).unwrap_err().to_string(), "A and B are both set and differ");
    }
}
