//! `esker-config(5)`: the config file, from the table of settings and the registry.

use super::{FILES, item, system, verbatim};
use crate::provider::registry::DRIVERS;
use crate::settings::TABLE;
use clap_mangen::roff::{Roff, bold, italic, roman};

const EXAMPLE: &str = "\
default_target: web
output: table
endpoints:
  prod: { provider: pebble, socket: /var/lib/pebble/default/.pebble.socket }
  lab: { provider: vergeos, url: https://10.0.0.5, username: admin, password_command: [pass, show, lab] }
  rx: { provider: rexec, url: https://rexec.example.com, token_file: ~/.secrets/rexec }
targets:
  web: prod
  dev: { address: sprites/dev-1, workdir: /app, env: { RUST_LOG: debug } }";

/// The keys of every endpoint.
const ENDPOINT_KEYS: [(&str, &str); 3] = [
    ("provider", "whose system it is; the keys of each follow"),
    ("connect_timeout", "how long connecting may take, such as 10s"),
    ("request_timeout", "how long the first byte of an answer may take, such as 30s"),
];

/// The keys of a short name.
const TARGET_KEYS: [(&str, &str); 3] = [
    ("address", "the full name of the target it stands for"),
    ("workdir", "where programs run that it starts, unless -w says otherwise"),
    ("env", "variables that programs find which it starts"),
];

/// The page.
pub(super) fn page() -> String {
    let mut roff = Roff::new();
    roff.control("TH", ["esker-config", "5", "", "", "esker manual"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("esker-config - the configuration of esker")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(
        "YAML, all of it optional. An unknown key is an error that says what was probably meant. A flag wins over a \
         variable, that over the file of the directory, that over your config, and that over the machine's. \
         `esker config show --origin` prints every value with where it comes from; `esker config edit` checks what \
         you wrote before it is kept.",
    )]);
    roff.control("SH", ["FILES"]);
    for (file, meaning) in FILES.iter().take(3) {
        item(&mut roff, italic(*file), meaning);
    }
    roff.control("SH", ["SETTINGS"]);
    for setting in TABLE {
        if let Some(key) = setting.key {
            let default = setting.default.map_or_else(String::new, |default| format!("; by default {default}"));
            item(&mut roff, bold(key), &format!("{} ({}{default})", setting.summary, setting.flag));
        }
    }
    roff.control("SH", ["ENDPOINTS"]);
    roff.text([roman("Below `endpoints`, by name. Every endpoint may have:")]);
    for (key, meaning) in ENDPOINT_KEYS {
        item(&mut roff, bold(key), meaning);
    }
    for driver in DRIVERS {
        roff.control("SS", [driver.id]);
        for key in driver.keys {
            item(&mut roff, bold(key.name), &format!("{} ({})", key.summary, system::holds(key.kind)));
        }
    }
    roff.control("SH", ["TARGETS"]);
    roff.text([roman("Below `targets`, by short name: the full name of a target, or what follows.")]);
    for (key, meaning) in TARGET_KEYS {
        item(&mut roff, bold(key), meaning);
    }
    roff.control("SH", ["EXAMPLE"]);
    verbatim(&mut roff, EXAMPLE);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([
        bold("esker"),
        roman("(1), "),
        bold("esker-config"),
        roman("(1), "),
        bold("esker-endpoint-add"),
        roman("(1)"),
    ]);
    roff.to_roff()
}

#[cfg(test)]
mod tests {
    use super::EXAMPLE;
    use crate::config::{Config, Dirs, Search};
    use crate::provider::registry::DRIVERS;
    use crate::resolve::Registry;

    #[test]
    fn the_example_is_a_config() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        // Every key that the page has, beside those of the example.
        let text = EXAMPLE.replace("rx: {", "rx: { connect_timeout: 1s, request_timeout: 2s,");
        assert!(["connect_timeout", "workdir", "env", "address", "provider"].iter().all(|key| text.contains(key)));
        std::fs::write(&path, text).unwrap();
        let dirs = Dirs::find(&|_| None);
        let search = Search::new(&dirs, None, Some((path, crate::config::Origin::Flag("--config"))));
        let config = Config::load(&search, &Registry(DRIVERS)).unwrap();
        assert_eq!((config.endpoints.len(), config.targets.len()), (3, 2));
    }
}
