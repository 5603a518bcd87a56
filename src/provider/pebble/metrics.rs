//! Metrics: OpenMetrics text with HELP and TYPE repeated per series (section 2.3).

use super::client::Client;
use crate::error::Result;
use crate::model::Metric;
use crate::provider::metrics::Metrics;
use crate::transport::Request;
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};

/// The metrics of a daemon.
pub(super) struct PebbleMetrics(pub(super) Client);

#[async_trait]
impl Metrics for PebbleMetrics {
    async fn samples(&self) -> Result<Vec<Metric>> {
        let text = fetch(&self.0).await?;
        parse(&text).map_err(|line| self.0.garbled("read metrics", &format!("not a sample: {line}")))
    }
}

/// The text as the daemon writes it.
pub(super) async fn fetch(client: &Client) -> Result<String> {
    let (_, body) = client.fetch("read metrics", Request::get("/v1/metrics")).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Reads the samples; `Err` is a line that is none.
fn parse(text: &str) -> Result<Vec<Metric>, String> {
    let (mut helps, mut kinds) = (HashMap::new(), HashMap::new());
    let mut samples = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            match comment.splitn(3, ' ').collect::<Vec<_>>()[..] {
                ["HELP", name, help] => drop(helps.insert(name, help)),
                ["TYPE", name, kind] => drop(kinds.insert(name, kind)),
                _ => {}
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').ok_or_else(|| line.to_owned())?;
        let value = value.parse().map_err(|_| line.to_owned())?;
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => {
                (name, parse_labels(labels.strip_suffix('}').unwrap_or(labels)).ok_or_else(|| line.to_owned())?)
            }
            None => (series, BTreeMap::new()),
        };
        samples.push(Metric {
            name: name.to_owned(),
            kind: kinds.get(name).map(|kind| (*kind).to_owned()),
            labels,
            value,
            help: helps.get(name).map(|help| (*help).to_owned()),
        });
    }
    Ok(samples)
}

/// Reads `a="x",b="y"`, with backslash escapes inside the quotes.
fn parse_labels(text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(key.trim_start_matches(',').trim().to_owned(), value);
        rest = &after[end + 1..];
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let text = "# HELP pebble_service_active Whether it is active\n# TYPE pebble_service_active gauge\n\
                    pebble_service_active{service=\"a\\\"b\"} 1\n\n# TYPE up counter\nup 3\n";
        let samples = parse(text).unwrap();
        assert_eq!(samples.len(), 2);
        assert_eq!(samples[0].labels["service"], "a\"b");
        assert_eq!((samples[0].kind.as_deref(), samples[0].value), (Some("gauge"), 1.0));
        assert_eq!(samples[1].name, "up");
        assert!(parse("what is this").is_err());
    }
}
