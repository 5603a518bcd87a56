//! A token of Sprites made from one of Fly.io (section 1.4).

use super::api::TokenReply;
use super::client::Client;
use crate::config::Secret;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::provider::sign_in::OwnedVars;
use crate::provider::web::secret_header;
use crate::provider::{SignIn, SignInBy, variables};
use crate::transport::header::AUTHORIZATION;
use crate::transport::query::segment;
use crate::transport::{HeaderValue, Request};
use async_trait::async_trait;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Where Fly.io's own clients look for a token, in the order of `flyctl`.
const VARIABLES: [&str; 2] = ["FLY_ACCESS_TOKEN", "FLY_API_TOKEN"];
const SCHEME: &str = "FlyV1 ";

/// Signs in to one API.
pub(super) struct SpritesSignIn {
    pub(super) client: Client,
    /// That of the endpoint.
    pub(super) organization: Option<String>,
    pub(super) home: Option<PathBuf>,
}

#[async_trait]
impl SignIn for SpritesSignIn {
    async fn sign_in(&self, by: SignInBy, vars: OwnedVars<'_>) -> Result<(&'static str, Secret)> {
        let SignInBy::Fly { organization, invite_code } = by else {
            return Err(Error::internal("a sign-in of another system"));
        };
        let organization = organization.or_else(|| self.organization.clone()).ok_or_else(|| {
            Error::usage("a token is for one organization, and none is named")
                .hint("pass --org SLUG; `personal` is your own")
        })?;
        let (token, from) = fly_token(vars, self.home.as_deref())?;
        let mut body = json!({"description": "esker"});
        if let Some(code) = &invite_code {
            body["invite_code"] = code.expose().into();
        }
        let path = format!("/v1/organizations/{}/tokens", segment(organization.as_bytes()));
        let what = format!("get a token for organization `{organization}`");
        let request = Request::post(path).json(&body).header(AUTHORIZATION, authorization(&token, &from)?);
        let answer = self.client.anonymous(&what, request).await;
        let answer = answer.map_err(|error| refused(error, &from, invite_code.is_some()))?;
        // The parser's own words could quote the token.
        let reply: TokenReply = serde_json::from_slice(&answer)
            .map_err(|_| self.client.garbled(&what, "there is no token in it").effect(Effect::Unknown))?;
        Ok(("token", Secret::new(reply.token.trim())))
    }
}

/// The token of Fly.io, and where it is from.
fn fly_token(vars: OwnedVars<'_>, home: Option<&Path>) -> Result<(Secret, String)> {
    if let Some((name, token)) = variables::one_of(vars, &VARIABLES)? {
        return Ok((Secret::new(token.trim()), name.to_owned()));
    }
    let dir = vars("FLY_CONFIG_DIR").map(PathBuf::from).or_else(|| Some(home?.join(".fly")));
    let path = dir.map(|dir| dir.join("config.yml"));
    let none =
        || Error::auth("there is no token of Fly.io").hint(format!("set {}, or run `fly auth login`", VARIABLES[1]));
    let path = path.ok_or_else(none)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(none()),
        Err(error) => return Err(Error::config(format!("cannot read `{}`", path.display())).source(error)),
    };
    let shown = path.display().to_string();
    // The parser's own words could quote the token.
    let content: serde_json::Value = serde_yaml::from_str(text.expose())
        .map_err(|_| Error::config(format!("cannot read `{shown}`: it is no YAML")))?;
    let token = content.get("access_token").and_then(|token| token.as_str()).map(str::trim);
    token.filter(|token| !token.is_empty()).map(|token| (Secret::new(token), shown)).ok_or_else(none)
}

fn authorization(token: &Secret, from: &str) -> Result<HeaderValue> {
    let token = token.expose();
    let scheme = if token.starts_with(SCHEME) { "" } else { SCHEME };
    secret_header(&format!("{scheme}{token}"), from)
}

fn refused(error: Error, from: &str, had_code: bool) -> Error {
    let words = error.parts().wire.as_ref().and_then(|wire| wire.message.clone()).unwrap_or_default();
    let is_closed = words.contains("Sprites not enabled");
    match error.kind() {
        ErrorKind::Auth | ErrorKind::Forbidden if !had_code || is_closed => error.hint(format!(
            "is the token from {from} of that organization? If Sprites is not enabled there, pass --invite-code-file"
        )),
        _ if is_closed => error.hint("pass --invite-code-file FILE"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn find(set: &[(&str, &str)], home: &Path) -> Result<(String, String)> {
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let vars = move |name: &str| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        fly_token(&vars, Some(home)).map(|(token, from)| (token.expose().to_owned(), from))
    }

    #[test]
    fn the_token_of_fly_is_found_where_its_clients_keep_it() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert_eq!(find(&[], home).unwrap_err().kind(), ErrorKind::Auth);
        fs::create_dir(home.join(".fly")).unwrap();
        let file = home.join(".fly/config.yml");
        fs::write(&file, "access_token: FlyV1 fm2_a,fm2_b\nlast_login: 2026-01-01T00:00:00Z\n").unwrap();
        assert_eq!(find(&[], home).unwrap(), ("FlyV1 fm2_a,fm2_b".to_owned(), file.display().to_string()));
        assert_eq!(find(&[("FLY_API_TOKEN", "x\n")], home).unwrap(), ("x".to_owned(), "FLY_API_TOKEN".to_owned()));
        let both = [("FLY_API_TOKEN", "x"), ("FLY_ACCESS_TOKEN", "y")];
        let error = find(&both, home).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains("both set")), (ErrorKind::Config, true));
        let elsewhere = home.join("other");
        assert_eq!(find(&[("FLY_CONFIG_DIR", elsewhere.to_str().unwrap())], home).unwrap_err().kind(), ErrorKind::Auth);
        fs::write(&file, "access_token: [hunter2").unwrap();
        assert!(!format!("{:?}", find(&[], home).unwrap_err()).contains("hunter2"));
    }

    #[test]
    fn the_scheme_is_not_doubled_and_the_header_is_a_secret() {
        for token in ["fm2_a", "FlyV1 fm2_a"] {
            let header = authorization(&Secret::new(token), "x").unwrap();
            assert!(header.is_sensitive());
            assert_eq!(header.to_str().unwrap(), "FlyV1 fm2_a");
        }
        assert!(authorization(&Secret::new("a\nb"), "x").is_err());
    }
}
