//! Which container a name means: a name, either id, or the beginning of one (section 0.5).

use super::DRIVER;
use super::api::{Container, Containers};
use super::client::Client;
use crate::error::{Error, Result};
use crate::suggest::nearest;
use crate::transport::query::segment;

/// What the id of an agent in a list of containers begins with.
pub(super) const AGENT: &str = "agent:";

/// The least of an id that stands for it.
const SHORTEST: usize = 4;

/// The containers and agents.
pub(super) async fn all(client: &Client) -> Result<Vec<Container>> {
    let all: Containers = client.get("list containers", "/api/containers").await?;
    Ok(all.into_items())
}

/// The one that `text` means. Of two that fit equally well none is taken.
pub(super) async fn find(client: &Client, text: &str) -> Result<Container> {
    let found = select(all(client).await?, text).map_err(|others| none(client, text, &others))?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        several => {
            let ids: Vec<&str> = several.iter().map(key).collect();
            Err(Error::conflict(format!("`{text}` names {} containers on `{}`", several.len(), client.endpoint()))
                .cause(format!("they are {}", ids.join(", ")))
                .hint("write the whole id of one of them")
                .at(DRIVER.id, client.endpoint()))
        }
    }
}

fn none(client: &Client, text: &str, others: &[Container]) -> Error {
    let error = Error::not_found(format!("no container `{text}` on `{}`", client.endpoint()));
    let error = match nearest(text, others.iter().map(|other| other.name.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`esker vm list` shows all"),
    };
    error.at(DRIVER.id, client.endpoint())
}

/// Those that `text` fits best: by name or whole id, else by the beginning of an id. `Err` has all of them.
fn select(all: Vec<Container>, text: &str) -> Result<Vec<Container>, Vec<Container>> {
    let exact = |one: &Container| {
        one.name == text || one.id == text || one.db_id == text || one.id.strip_prefix(AGENT) == Some(text)
    };
    let begins = |one: &Container| {
        let ids = [one.id.as_str(), one.db_id.as_str(), one.id.strip_prefix(AGENT).unwrap_or_default()];
        text.len() >= SHORTEST && ids.iter().any(|id| id.starts_with(text))
    };
    for fits in [&exact as &dyn Fn(&Container) -> bool, &begins] {
        let found: Vec<Container> = all.iter().filter(|one| fits(one)).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(all)
}

/// The id that never changes: that of the database, or an agent's own.
pub(super) fn key(container: &Container) -> &str {
    if container.db_id.is_empty() { &container.id } else { &container.db_id }
}

/// Whether `id` is one of Docker's.
pub(super) fn is_docker_id(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The path of a container, and of what is below it.
pub(super) fn path(id: &str, rest: &str) -> String {
    format!("/api/containers/{}{rest}", segment(id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, id: &str, db_id: &str) -> Container {
        Container { name: name.into(), id: id.into(), db_id: db_id.into(), ..Container::default() }
    }

    #[test]
    fn a_name_or_whole_id_comes_before_the_beginning_of_one() {
        let all = || {
            vec![
                container("abcd", "ffff00", "1111-1"),
                container("box", "abcd01", "1111-2"),
                container("edge", "agent:cccc-1", ""),
            ]
        };
        let names = |text: &str| match select(all(), text) {
            Ok(found) => found.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(" "),
            Err(_) => "none".to_owned(),
        };
        for (text, expected) in [
            ("abcd", "abcd"),
            ("abcd0", "box"),
            ("abcd01", "box"),
            ("1111", "abcd box"),
            ("1111-2", "box"),
            ("cccc-1", "edge"),
            ("agent:cccc", "edge"),
            ("cccc", "edge"),
            ("abc", "none"),
            ("nope", "none"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }
}
