//! Users and groups by name and by number, from the files that every system has: a static binary cannot ask the
//! system's own resolver, which loads modules.

use super::go;
use super::plan::{ExecCheck, Service};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// A user and a group as a request or a layer names them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Wish {
    #[serde(default)]
    pub(super) user_id: Option<u32>,
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) group_id: Option<u32>,
    #[serde(default)]
    pub(super) group: Option<String>,
}

/// The numbers that were meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// A line of the password file.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: PathBuf,
}

impl Wish {
    fn new(user_id: Option<u32>, user: &str, group_id: Option<u32>, group: &str) -> Self {
        Self { user_id, user: Some(user.to_owned()), group_id, group: Some(group.to_owned()) }
    }

    /// Of a service.
    pub(super) fn of_service(service: &Service) -> Self {
        Self::new(service.user_id, &service.user, service.group_id, &service.group)
    }

    /// Of a check that runs a command.
    pub(super) fn of_check(check: &ExecCheck) -> Self {
        Self::new(check.user_id, &check.user, check.group_id, &check.group)
    }

    /// Whether it names nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.user_id.is_none() && self.group_id.is_none() && self.name().is_none() && self.group_name().is_none()
    }

    /// The same, with `other` for what it leaves open.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    fn name(&self) -> Option<&str> {
        self.user.as_deref().filter(|name| !name.is_empty())
    }

    fn group_name(&self) -> Option<&str> {
        self.group.as_deref().filter(|name| !name.is_empty())
    }
}

/// The numbers of a wish; `None` if it names nobody.
///
/// # Errors
///
/// An unknown name, names and numbers that do not agree, a group alone.
pub(super) fn resolve(wish: &Wish) -> Result<Option<Ids>, String> {
    let (mut uid, mut gid) = (wish.user_id, wish.group_id);
    if let Some(name) = wish.name() {
        let user = user_named(name).ok_or_else(|| format!("user: unknown user {name}"))?;
        match uid {
            Some(id) if id != user.uid => {
                return Err(format!("user {} UID ({}) does not match user-id ({id})", go::quote(name), user.uid));
            }
            _ => uid = Some(user.uid),
        }
        if gid.is_none() && wish.group_name().is_none() {
            gid = Some(user.gid);
        }
    }
    if let Some(name) = wish.group_name() {
        let group = group_named(name).ok_or_else(|| format!("group: unknown group {name}"))?;
        match gid {
            Some(id) if id != group => {
                return Err(format!("group {} GID ({group}) does not match group-id ({id})", go::quote(name)));
            }
            _ => gid = Some(group),
        }
    }
    match (uid, gid) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("must specify user, not just group".to_owned()),
        (Some(uid), Some(gid)) => Ok(Some(Ids { uid, gid })),
        (Some(uid), None) => {
            let user = user(uid).ok_or_else(|| format!("user: unknown userid {uid}"))?;
            Ok(Some(Ids { uid, gid: user.gid }))
        }
    }
}

/// The user of a number.
pub(super) fn user(uid: u32) -> Option<User> {
    users().into_iter().find(|user| user.uid == uid)
}

fn user_named(name: &str) -> Option<User> {
    users().into_iter().find(|user| user.name == name)
}

/// The names of users and groups by number, as they are now. Of several names for one number the first counts.
pub(super) struct Names {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Names {
    pub(super) fn read() -> Self {
        // The last one collected counts.
        let users = users().into_iter().rev().map(|user| (user.uid, user.name)).collect();
        let groups = groups().into_iter().rev().map(|(name, gid)| (gid, name)).collect();
        Self { users, groups }
    }

    /// The name of a user; empty if it has none.
    pub(super) fn user(&self, uid: u32) -> &str {
        self.users.get(&uid).map_or("", String::as_str)
    }

    /// The name of a group; empty if it has none.
    pub(super) fn group(&self, gid: u32) -> &str {
        self.groups.get(&gid).map_or("", String::as_str)
    }
}

fn group_named(name: &str) -> Option<u32> {
    groups().into_iter().find(|(known, _)| known == name).map(|(_, number)| number)
}

/// The groups that a user is in, beside its own.
pub(super) fn groups_of(name: &str) -> Vec<u32> {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let members = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| member == name);
        fields.get(2)?.parse().ok().filter(|_| is_member)
    };
    text.lines().filter_map(members).collect()
}

fn users() -> Vec<User> {
    parse_users(&fs::read_to_string("/etc/passwd").unwrap_or_default())
}

fn parse_users(text: &str) -> Vec<User> {
    let user = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        Some(User {
            name: (*fields.first()?).to_owned(),
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
            home: PathBuf::from(fields.get(5)?),
        })
    };
    text.lines().filter_map(user).collect()
}

fn groups() -> Vec<(String, u32)> {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let group = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_must_agree() {
        let wish = |text: &str| serde_json::from_str::<Wish>(text).unwrap();
        let root = Ids { uid: 0, gid: 0 };
        assert_eq!(resolve(&wish("{}")), Ok(None));
        assert_eq!(resolve(&wish(r#"{"user":null,"user-id":null}"#)), Ok(None));
        assert_eq!(resolve(&wish(r#"{"user":"root"}"#)), Ok(Some(root)));
        assert_eq!(resolve(&wish(r#"{"user-id":0}"#)), Ok(Some(root)));
        assert_eq!(resolve(&wish(r#"{"user-id":12345,"group-id":5}"#)), Ok(Some(Ids { uid: 12345, gid: 5 })));
        for (text, why) in [
            (r#"{"group":"root"}"#, "must specify user, not just group"),
            (r#"{"user":"root","user-id":5}"#, "user \"root\" UID (0) does not match user-id (5)"),
            (r#"{"user":"root","group":"root","group-id":4}"#, "group \"root\" GID (0) does not match group-id (4)"),
            (r#"{"user":"surely-nobody"}"#, "user: unknown user surely-nobody"),
            (r#"{"user":"root","group":"surely-none"}"#, "group: unknown group surely-none"),
            (r#"{"user-id":4294967000}"#, "user: unknown userid 4294967000"),
        ] {
            assert_eq!(resolve(&wish(text)), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn lines_that_are_no_users_are_passed_over() {
        let users = parse_users("root:x:0:0:root:/root:/bin/sh\n# comment\n+\nbad:x:y:1:a:b:c\n");
        assert_eq!((users.len(), users[0].name.as_str(), users[0].home.to_str()), (1, "root", Some("/root")));
    }
}
