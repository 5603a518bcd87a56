//! Getting a credential from the system itself instead of being given one.

use crate::config::Secret;
use crate::error::Result;
use async_trait::async_trait;

/// With what somebody signs in.
#[derive(Clone, Debug)]
pub enum SignInBy {
    /// With a token of Fly.io, from where its own clients keep it.
    Fly {
        /// The organization that the new token is for.
        organization: Option<String>,
        /// What lets an organization in that may not use the system yet.
        invite_code: Option<Secret>,
    },
    /// With a password, for a session.
    Password {
        /// Whose it is; `None` is the endpoint's own user.
        username: Option<String>,
        /// The password, which is not kept.
        password: Secret,
    },
    /// As a guest, who needs no account.
    Guest {
        /// What the guest is called; `None` makes a name up.
        username: Option<String>,
    },
}

/// The environment, for variables that a provider reads only here.
pub type OwnedVars<'a> = &'a (dyn Fn(&str) -> Option<String> + Send + Sync);

/// Signs in to a system.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// The secret that it grants, and what that is: `token`. Asked for once: it may have been made when the answer is
    /// lost.
    async fn sign_in(&self, by: SignInBy, vars: OwnedVars<'_>) -> Result<(&'static str, Secret)>;

    /// Ends what a secret of this kind stands for, where it can be ended. One that has ended already is `Auth`.
    async fn sign_out(&self, _what: &str, _secret: &Secret) -> Result<()> {
        Ok(())
    }
}
