//! Users and groups by name, from the files that every system has: a static binary cannot ask the system's own
//! resolver, which loads modules.

use crate::error::{Error, Result};
use crate::provider::exec::{Account, Owner};
use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

/// Names by number.
#[derive(Default)]
pub(super) struct Accounts {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

/// The accounts, read once.
pub(super) fn known() -> &'static Accounts {
    static KNOWN: OnceLock<Accounts> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let read = |path| parse(&fs::read_to_string(path).unwrap_or_default());
        Accounts { users: read("/etc/passwd"), groups: read("/etc/group") }
    })
}

/// `name:password:number:…` per line; of several names for one number the first.
fn parse(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(number))) = (fields.next(), fields.nth(1).map(str::parse)) {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}

impl Accounts {
    pub(super) fn user(&self, number: u32) -> Option<String> {
        self.users.get(&number).cloned()
    }

    pub(super) fn group(&self, number: u32) -> Option<String> {
        self.groups.get(&number).cloned()
    }
}

/// The numbers of an owner. A user without a group leaves the group as it is.
pub(super) fn numbers(owner: &Owner) -> Result<(Option<u32>, Option<u32>)> {
    let find = |account: &Option<Account>, names: &HashMap<u32, String>, what: &str| match account {
        None => Ok(None),
        Some(Account::Id(number)) => Ok(Some(*number)),
        Some(Account::Name(name)) => match names.iter().find(|(_, known)| *known == name) {
            Some((number, _)) => Ok(Some(*number)),
            None => Err(Error::not_found(format!("no {what} `{name}` on this machine"))),
        },
    };
    let accounts = known();
    Ok((find(&owner.user, &accounts.users, "user")?, find(&owner.group, &accounts.groups, "group")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_accounts_are_passed_over() {
        let names = parse("root:x:0:0:root:/root:/bin/sh\n# comment\n+\ntoor:x:0:0\nweb:x:33:33\nbad:x:y:1\n");
        assert_eq!(names.len(), 2);
        assert_eq!((names[&0].as_str(), names[&33].as_str()), ("root", "web"));
    }
}
