//! `esker-PROVIDER(7)`: a system as the registry knows it.

use super::item;
use crate::config::KeyKind;
use crate::provider::{Driver, Scope, Support};
use clap_mangen::roff::{Roff, bold, italic, roman};

/// The page of a provider.
pub(super) fn page(driver: &Driver) -> String {
    let mut roff = Roff::new();
    let title = format!("esker-{}", driver.id);
    roff.control("TH", [title.as_str(), "7", "", "", "esker manual"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{title} - {}", driver.summary))]);
    roff.control("SH", ["TARGETS"]);
    let id = driver.id;
    roff.text([roman(match driver.place {
        Some(place) => format!(
            "A target is a {place}: {id}/NAME at the endpoint `{id}`, or ENDPOINT/NAME at one of your config. The \
             endpoint alone stands for what belongs to all of them; '{id}/*' for each of them."
        ),
        None => format!("An endpoint is a target itself: `{id}`, or the name of one of your config."),
    })]);
    if !driver.variables.is_empty() {
        roff.control("SH", ["ENVIRONMENT"]);
        roff.text([roman(format!("The endpoint `{id}` is made from these, and no other endpoint reads them:"))]);
        for variable in driver.variables {
            roff.control("br", []);
            roff.text([bold(*variable)]);
        }
    }
    if !driver.keys.is_empty() {
        roff.control("SH", ["CONFIGURATION"]);
        roff.text([roman(format!("Keys of an endpoint with `provider: {id}`, see esker-config(5):"))]);
        for key in driver.keys {
            item(&mut roff, bold(key.name), &format!("{} ({})", key.summary, holds(key.kind)));
        }
    }
    roff.control("SH", ["WHAT IT CAN DO"]);
    roff.text([roman("What is not here fails with exit code 11 (125 in exec) before anything is sent.")]);
    for offer in driver.offers {
        let on = match offer.on {
            Scope::Endpoint => ", on the endpoint",
            Scope::Either if driver.place.is_some() => ", on the endpoint too",
            Scope::Instance | Scope::Either => "",
        };
        let text = match offer.support {
            Support::Native => format!("{}{on}", offer.feature.summary()),
            Support::Emulated(limits) => format!("{}{on}; made over something else: {limits}", offer.feature.summary()),
        };
        item(&mut roff, bold(offer.feature.name()), &text);
    }
    if !driver.imports.is_empty() {
        roff.control("SH", ["FILES"]);
        for import in driver.imports {
            roff.control("TP", []);
            roff.text([italic(format!("esker endpoint import {}", import.client))]);
            roff.text([roman("takes over the set-up of that client")]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    for client in driver.translations {
        let about = format!("(7): the commands of {}, and what they are here", client.client);
        roff.text([bold(format!("esker-from-{}", client.client)), roman(about)]);
        roff.control("br", []);
    }
    roff.text([
        bold("esker"),
        roman("(1), "),
        bold("esker-config"),
        roman("(5), "),
        bold("esker-providers"),
        roman("(1)"),
    ]);
    roff.to_roff()
}

/// What a key holds, in words.
pub(super) fn holds(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Text => "text",
        KeyKind::Path => "a path; ~ expands, and relative ones start at the file's folder",
        KeyKind::Url => "a URL",
        KeyKind::Bool => "true or false",
        KeyKind::Duration => "a duration, such as 90s",
        KeyKind::Argv => "a command, as a list of words",
        KeyKind::Words => "a list of words",
        KeyKind::Variables => "variables, as names and values",
        KeyKind::Secret => "a secret; warned about, since it stands in a file",
    }
}
