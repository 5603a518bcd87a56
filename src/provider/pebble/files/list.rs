//! Listing. The answer is one document however large the directory: it is kept as received and taken apart entry by
//! entry, as they are asked for.

use super::judge::naming;
use super::{PebbleFiles, wire};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Extra, FileEntry, FileKind, RemotePath};
use crate::provider::pebble::api::{Envelope, FileInfo};
use crate::stream::{self, Items};
use crate::transport::Request;
use crate::transport::query::Query;
use bytes::Bytes;

/// How often a directory is listed again because an entry vanished meanwhile, which fails the daemon's whole answer.
const RETRIES: usize = 5;

/// The query of what the official client lists: the last part of a path may be a pattern.
pub(in crate::provider::pebble) fn list_query(path: &RemotePath, itself: bool) -> String {
    let query = Query::new("/v1/files").with("action", "list");
    if itself {
        return query.with("path", path.as_bytes()).with("itself", "true").build();
    }
    let bytes = path.as_bytes();
    let base = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    if !bytes[base..].iter().any(|byte| b"*?[".contains(byte)) {
        return query.with("path", bytes).build();
    }
    query.with("path", &bytes[..base.max(1)]).with("pattern", &bytes[base..]).build()
}

impl PebbleFiles {
    /// The entries of `dir`, from one answer.
    pub(super) fn entries(&self, dir: RemotePath) -> Items<FileEntry> {
        let files = self.clone();
        stream::unfold((files, dir, None::<Entries>), |(files, dir, entries)| async move {
            let mut entries = match entries {
                Some(entries) => entries,
                None => files.ask(&dir, Query::new("/v1/files").with("action", "list")).await?,
            };
            let next = entries.next().map_err(|error| files.0.garbled(&naming("list", &dir), &error.to_string()))?;
            Ok(next.map(|entry| (entry, (files, dir, Some(entries)))))
        })
    }

    /// One entry. The daemon follows the link at a path that is asked for, and no link below it: so that a link is
    /// seen, its directory is asked for the one name.
    pub(super) async fn entry(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        let query = Query::new("/v1/files").with("action", "list");
        let name = path.file_name();
        let follows = follow || path.as_bytes().ends_with(b"/") || matches!(name, b"" | b"." | b"..");
        let mut found = if follows {
            self.ask(path, query.with("itself", "true")).await?
        } else {
            let within = |error: Error| if error.kind() == ErrorKind::NotFound { self.missing(path) } else { error };
            self.ask(&path.parent(), query.with("pattern", escaped(name))).await.map_err(within)?
        };
        match found.next().map_err(|error| self.0.garbled(&naming("list", path), &error.to_string()))? {
            // Its own path, not one that the daemon has cleaned up.
            Some(entry) => Ok(FileEntry { path: path.clone(), ..entry }),
            None => Err(self.missing(path)),
        }
    }

    fn missing(&self, path: &RemotePath) -> Error {
        let message = self.0.cannot(&naming("find", path), "no such file or directory");
        Error::not_found(message).at("pebble", self.0.endpoint.clone())
    }

    async fn ask(&self, path: &RemotePath, query: Query) -> Result<Entries> {
        wire::absolute(path)?;
        let what = naming("list", path);
        let query = query.with("path", path.as_bytes()).build();
        let mut retries = RETRIES;
        loop {
            match self.0.fetch(&what, Request::get(&query)).await {
                Ok((_, body)) => return self.taken_apart(&what, &body),
                Err(error) if retries > 0 && entry_vanished(&error) => retries -= 1,
                Err(error) => return Err(self.about("list", path, error)),
            }
        }
    }

    fn taken_apart(&self, what: &str, body: &Bytes) -> Result<Entries> {
        let envelope: Envelope<'_> =
            serde_json::from_slice(body).map_err(|error| self.0.garbled(what, &error.to_string()))?;
        let result = envelope.result.map_or("[]", |result| result.get());
        let Some(list) = result.strip_prefix('[') else {
            return Err(self.0.garbled(what, "the answer is no list"));
        };
        let json = if list == "]" { Bytes::from_static(b"]") } else { body.slice_ref(list.as_bytes()) };
        Ok(Entries { json, at: 0 })
    }
}

/// Whether a listing failed because of one of its entries: the directory itself is looked at by `stat` and `open`.
fn entry_vanished(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
        && error
            .parts()
            .wire
            .as_ref()
            .and_then(|wire| wire.message.as_deref())
            .is_some_and(|said| said.starts_with("lstat "))
}

/// A name as a pattern that matches nothing else.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(name.len());
    for byte in name {
        if b"*?[]\\".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern
}

/// The rest of a JSON array of entries, checked to be JSON already.
struct Entries {
    json: Bytes,
    at: usize,
}

impl Entries {
    fn next(&mut self) -> serde_json::Result<Option<FileEntry>> {
        let rest = &self.json[self.at..];
        let Some(start) = rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n')) else {
            return Ok(None);
        };
        if rest[start] == b']' {
            return Ok(None);
        }
        let mut values = serde_json::Deserializer::from_slice(&rest[start..]).into_iter::<FileInfo>();
        let next = values.next().transpose()?;
        self.at += start + values.byte_offset();
        Ok(next.map(entry))
    }
}

/// An entry in our words.
fn entry(info: FileInfo) -> FileEntry {
    let known = |name: Option<String>| name.filter(|name| !name.is_empty());
    let mut extra = Extra::new();
    let kind = match info.kind.as_str() {
        "file" => FileKind::File,
        "directory" => FileKind::Directory,
        "symlink" => FileKind::Symlink,
        "socket" => FileKind::Socket,
        "named-pipe" => FileKind::NamedPipe,
        "device" => FileKind::Device,
        "unknown" => FileKind::Unknown,
        // A newer daemon's word is shown, never fatal.
        other => {
            extra.insert("type".to_owned(), other.into());
            FileKind::Unknown
        }
    };
    FileEntry {
        name: info.name,
        path: RemotePath::new(info.path),
        kind,
        size_bytes: info.size,
        mode: info.permissions,
        modified_at: info.last_modified,
        user: known(info.user),
        user_id: info.user_id,
        group: known(info.group),
        group_id: info.group_id,
        link_target: None,
        extra,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(json: &str) -> serde_json::Result<Vec<String>> {
        let mut entries = Entries { json: Bytes::from(json.to_owned()), at: 0 };
        let mut names = Vec::new();
        while let Some(entry) = entries.next()? {
            names.push(format!("{}{}", entry.name, entry.mode.unwrap_or_default()));
        }
        Ok(names)
    }

    #[test]
    fn entries_are_taken_one_by_one() {
        assert_eq!(all("]").unwrap(), [""; 0]);
        let one = r#"{"path":"/a,]","name":"a,]","type":"file","permissions":"644"}"#;
        assert_eq!(all(&format!("{one}]")).unwrap(), ["a,]644"]);
        assert_eq!(all(&format!(" {one} ,\n{one}\n]")).unwrap(), ["a,]644", "a,]644"]);
        assert!(all(r#"{"name":1}]"#).is_err());
    }

    #[test]
    fn a_name_is_a_pattern_for_itself() {
        assert_eq!(escaped(b"a*[b]?\\"), b"a\\*\\[b\\]\\?\\\\");
    }

    #[test]
    fn the_official_client_takes_its_last_part_for_a_pattern() {
        let query = |path: &str| list_query(&path.into(), false);
        assert_eq!(query("/etc/*.d"), "/v1/files?action=list&path=/etc/&pattern=%2A.d");
        assert_eq!(query("/*"), "/v1/files?action=list&path=/&pattern=%2A");
        assert_eq!(query("/etc"), "/v1/files?action=list&path=/etc");
        assert_eq!(list_query(&"/a*".into(), true), "/v1/files?action=list&path=/a%2A&itself=true");
    }
}
