//! Who asks, and what they may do (section 1.3 of the reference).

use super::errors::{Refusal, Result};
use super::identities::{Access, Identities};
use crate::transport::header::AUTHORIZATION;
use crate::transport::server::{Peer, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::process::geteuid;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// What they may do.
    pub(super) access: Access,
    /// Their number, if that is how they are known.
    pub(super) uid: Option<u32>,
}

/// What an endpoint asks of its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Open,
    /// To look at metrics.
    Metrics,
    /// To look.
    User,
    /// To change.
    Admin,
}

/// Who is behind a request; `None` is somebody unknown.
pub(super) fn user(request: &Request, identities: &Identities) -> Option<User> {
    let uid = match request.peer {
        Peer::Unix { uid, .. } => Some(uid),
        Peer::Tcp(_) => None,
    };
    if let Some((name, password)) = basic(request)
        && let Some(identity) = identities.by_password(&name, &password)
    {
        return Some(User { access: identity.access, uid: None });
    }
    let uid = uid?;
    if let Some(identity) = identities.by_uid(uid) {
        return Some(User { access: identity.access, uid: Some(uid) });
    }
    let is_own = uid == 0 || uid == geteuid().as_raw();
    Some(User { access: if is_own { Access::Admin } else { Access::Read }, uid: Some(uid) })
}

/// Whether this user may do what needs `needs`. Over plain TCP only what is open, and metrics for those who are made
/// for that.
pub(super) fn check(needs: Needs, user: Option<User>, peer: &Peer) -> Result<()> {
    let is_local = matches!(peer, Peer::Unix { .. });
    let access = user.map(|user| user.access);
    let may = match needs {
        Needs::Open => true,
        Needs::Metrics if is_local => matches!(access, Some(Access::Metrics | Access::Read | Access::Admin)),
        Needs::Metrics => access == Some(Access::Metrics),
        Needs::User => is_local && matches!(access, Some(Access::Read | Access::Admin)),
        Needs::Admin => is_local && access == Some(Access::Admin),
    };
    if may { Ok(()) } else { Err(Refusal::denied()) }
}

/// Name and password of `Authorization: Basic`.
fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, text) = request.header(&AUTHORIZATION)?.split_once(' ')?;
    let text = BASE64.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (name, password) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_access_has_its_endpoints() {
        let here = Peer::Unix { uid: 0, gid: 0, pid: None };
        let there = Peer::Tcp("127.0.0.1:1".parse().unwrap());
        let may = |access: Option<Access>, peer: &Peer| {
            let user = access.map(|access| User { access, uid: None });
            [Needs::Open, Needs::Metrics, Needs::User, Needs::Admin].map(|needs| check(needs, user, peer).is_ok())
        };
        assert_eq!(may(Some(Access::Admin), &here), [true, true, true, true]);
        assert_eq!(may(Some(Access::Read), &here), [true, true, true, false]);
        assert_eq!(may(Some(Access::Metrics), &here), [true, true, false, false]);
        assert_eq!(may(Some(Access::Untrusted), &here), [true, false, false, false]);
        assert_eq!(may(None, &here), [true, false, false, false]);
        assert_eq!(may(Some(Access::Admin), &there), [true, false, false, false]);
        assert_eq!(may(Some(Access::Metrics), &there), [true, true, false, false]);
    }
}
