//! Finding a credential: the first place that has one wins (ux 10.5). No secret is ever a flag's value.

use super::{EndpointConfig, Logins, Secret, load, reason};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where a credential may come from. Blocking: it may read files and run a command.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// The endpoint it is for.
    pub endpoint: &'a EndpointConfig,
    /// What it is, `token` or `password`: the keys are named after it.
    pub what: &'a str,
    /// The file of `--token-file`; `-` is stdin.
    pub flag: Option<&'a Path>,
    /// A variable that is set, and its value. Providers' own variables are for implicit endpoints only.
    pub variable: Option<(&'a str, &'a Secret)>,
    /// The user's home, for `~` in paths.
    pub home: Option<&'a Path>,
    /// What `endpoint login` stored.
    pub logins: Option<&'a Logins>,
}

/// A credential that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The credential.
    pub secret: Secret,
    /// Where, in words.
    pub from: String,
    /// What to act on.
    pub warning: Option<String>,
}

impl Lookup<'_> {
    /// The credential, or `None` if no place has one. A place that is named and fails is an error, not the next place.
    pub fn find(&self) -> Result<Option<Found>> {
        let Self { endpoint, what, .. } = self;
        if let Some(path) = self.flag {
            return self.file(path, format!("--{what}-file")).map(Some);
        }
        if let Some((name, secret)) = self.variable.filter(|(_, secret)| !secret.expose().is_empty()) {
            return Ok(Some(Found { secret: secret.clone(), from: name.to_owned(), warning: None }));
        }
        let key = format!("{what}_command");
        if let Some(argv) = endpoint.words(&key) {
            let secret = self.run(&argv)?;
            return Ok(Some(Found { secret, from: key, warning: None }));
        }
        let key = format!("{what}_file");
        if let Some(path) = endpoint.path(&key, self.home)? {
            return self.file(&path, key).map(Some);
        }
        // An ad hoc endpoint has no login: its name is a path.
        let keeps = super::check_name(&endpoint.name).is_ok();
        if let Some(login) = self.logins.filter(|_| keeps).map(|l| l.load(&endpoint.name)).transpose()?.flatten()
            && let Some(secret) = login.secrets.get(*what)
        {
            let from = format!("`esker endpoint login {}`", endpoint.name);
            return Ok(Some(Found { secret: secret.clone(), from, warning: login.warning }));
        }
        let inline = endpoint.secret(what).cloned();
        Ok(inline.map(|secret| Found { secret, from: endpoint.origin.clone(), warning: None }))
    }

    fn name(&self) -> String {
        format!("the {} of endpoint `{}`", self.what, self.endpoint.name)
    }

    fn file(&self, path: &Path, from: String) -> Result<Found> {
        let cannot =
            |why: &str| Error::config(format!("cannot read {} from `{}` ({from}): {why}", self.name(), path.display()));
        let mut bytes = Vec::new();
        let mut warning = None;
        if path == Path::new("-") {
            std::io::stdin().read_to_end(&mut bytes).map_err(|e| cannot(&reason(&e)))?;
        } else {
            let mut file = File::open(path).map_err(|e| cannot(&reason(&e)))?;
            file.read_to_end(&mut bytes).map_err(|e| cannot(&reason(&e)))?;
            // A pipe, as in `--token-file <(…)`, belongs to nobody else.
            warning =
                file.metadata().ok().filter(std::fs::Metadata::is_file).and_then(|m| load::exposure(path, &m, true));
        }
        let secret = one_line(bytes).map_err(|why| cannot(&format!("it {why}")))?;
        Ok(Found { secret, from, warning })
    }

    fn run(&self, argv: &[String]) -> Result<Secret> {
        let [program, args @ ..] = argv else {
            return Err(Error::config(format!("cannot get {}: its command is empty", self.name())));
        };
        let cannot = |why: &str| format!("cannot get {} from `{}`: {why}", self.name(), argv.join(" "));
        // Its stdin is not ours, which may be content; what it says about failures goes straight to the user.
        let output = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| Error::config(cannot(&reason(&e))))?;
        if !output.status.success() {
            return Err(Error::auth(cannot(&format!("it failed ({})", output.status))));
        }
        one_line(output.stdout).map_err(|why| Error::auth(cannot(&format!("its output {why}"))))
    }
}

/// The one line that a file or an output consists of.
fn one_line(bytes: Vec<u8>) -> Result<Secret, &'static str> {
    let text = String::from_utf8(bytes).map(Secret::new).map_err(|_| "is not UTF-8")?;
    let line = text.expose().trim_end_matches(['\r', '\n']);
    match line {
        "" => Err("is empty"),
        line if line.contains('\n') => Err("is more than one line"),
        line => Ok(Secret::new(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::fs;

    struct Bench {
        dir: tempfile::TempDir,
        logins: Logins,
        endpoint: EndpointConfig,
    }

    /// Every place has a credential, named after the place.
    fn bench() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let logins = Logins::new(dir.path());
        logins.store("lab", &BTreeMap::from([("token".to_owned(), Secret::new("from-login"))])).unwrap();
        for name in ["flag", "file"] {
            fs::write(dir.path().join(name), format!("from-{name}\n")).unwrap();
        }
        let endpoint = EndpointConfig {
            name: "lab".to_owned(),
            base: Some(dir.path().to_owned()),
            origin: "config.yaml:3".to_owned(),
            ..EndpointConfig::default()
        };
        Bench { dir, logins, endpoint }
    }

    impl Bench {
        fn find(&self, flag: Option<&Path>, variable: Option<&Secret>, logins: bool) -> Result<Option<Found>> {
            let lookup = Lookup {
                endpoint: &self.endpoint,
                what: "token",
                flag,
                variable: variable.map(|secret| ("LAB_TOKEN", secret)),
                home: None,
                logins: logins.then_some(&self.logins),
            };
            lookup.find()
        }

        fn text(&self, flag: Option<&Path>, variable: Option<&Secret>, logins: bool) -> String {
            self.find(flag, variable, logins).unwrap().map_or("none".into(), |found| found.secret.expose().to_owned())
        }
    }

    #[test]
    fn the_first_place_wins() {
        let mut bench = bench();
        assert_eq!(bench.text(None, None, false), "none");
        bench.endpoint = bench.endpoint.clone().with_secret("token", Secret::new("inline"));
        assert_eq!(bench.text(None, None, false), "inline");
        assert_eq!(bench.text(None, None, true), "from-login");
        bench.endpoint = bench.endpoint.clone().with("token_file", "file");
        assert_eq!(bench.text(None, None, true), "from-file");
        bench.endpoint = bench.endpoint.clone().with("token_command", json!(["echo", "from-command"]));
        assert_eq!(bench.text(None, None, true), "from-command");
        let variable = Secret::new("from-variable");
        assert_eq!(bench.text(None, Some(&variable), true), "from-variable");
        assert_eq!(bench.text(None, Some(&Secret::new("")), true), "from-command");
        let flag = bench.dir.path().join("flag");
        assert_eq!(bench.text(Some(&flag), Some(&variable), true), "from-flag");
    }

    #[test]
    fn a_place_that_fails_is_not_passed_over() {
        let mut bench = bench();
        let fails = |bench: &Bench| bench.find(None, None, true).unwrap_err().to_string();
        bench.endpoint = bench.endpoint.clone().with("token_file", "missing");
        assert!(fails(&bench).ends_with("(token_file): no such file or directory"), "{}", fails(&bench));
        for (argv, end) in [
            (json!(["false"]), "it failed (exit status: 1)"),
            (json!(["printf", "a\\nb"]), "its output is more than one line"),
            (json!(["true"]), "its output is empty"),
            (json!(["/no/such/program"]), "no such file or directory"),
        ] {
            bench.endpoint = bench.endpoint.clone().with("token_command", argv);
            assert!(fails(&bench).ends_with(end), "{}", fails(&bench));
        }
    }

    #[test]
    fn nothing_that_was_found_is_shown() {
        let bench = bench();
        let found = bench.find(None, Some(&Secret::new("hunter2")), true).unwrap();
        let endpoint = bench.endpoint.clone().with_secret("token", Secret::new("hunter2"));
        assert!(!format!("{found:?} {endpoint:?}").contains("hunter2"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let bench = bench();
        let flag = bench.dir.path().join("flag");
        for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o602, true)] {
            fs::set_permissions(&flag, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(bench.find(Some(&flag), None, false).unwrap().unwrap().warning.is_some(), warned, "{mode:o}");
        }
    }
}
