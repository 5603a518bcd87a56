//! The media catalog as files (section 4.6): flat names on the endpoint, no directories.

mod read;
mod write;

use super::api::text;
use super::client::Client;
use super::filter::equals;
use super::rows::Select;
use crate::cleanups::Cleanups;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Extra, FileEntry, FileKind, RemotePath, Time};
use crate::provider::Feature;
use crate::provider::feature::unsupported;
use crate::provider::files::{Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::provider::machines::Row;
use crate::stream::{self, ByteStream, Items};
use crate::transport::Method;
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::ops::Range;

/// What is asked for of a file.
const FIELDS: &str = "$key,name,type,description,filesize,allocated_bytes,used_bytes,preferred_tier,modified,creator";
/// What a file is called until all of it is there.
const HIDDEN: &str = ".esker-";

/// The files of a system. Cheap to clone.
#[derive(Clone)]
pub(super) struct VergeFiles {
    pub(super) client: Client,
    pub(super) cleanups: Cleanups,
}

/// A file of the catalog.
#[derive(Clone, Debug)]
struct Known {
    key: String,
    size: u64,
    row: Row,
}

impl VergeFiles {
    /// The name of a path: what stands after the only slash.
    fn name(path: &RemotePath) -> Result<String> {
        let text = std::str::from_utf8(path.as_bytes())
            .map_err(|_| Error::usage(format!("`{path}` is no name in the catalog: it is not UTF-8")))?;
        let name = text.strip_prefix('/').unwrap_or(text);
        if name.is_empty() || name.contains('/') {
            let error = Error::usage(format!("`{path}` is no name in the catalog, which has no directories"));
            return Err(error.hint("write `TARGET:/NAME`"));
        }
        Ok(name.to_owned())
    }

    fn is_root(path: &RemotePath) -> bool {
        matches!(path.as_bytes(), b"" | b"/" | b"." | b"/.")
    }

    /// The file of a name; several of one name are refused.
    async fn known(&self, what: &str, name: &str) -> Result<Option<Known>> {
        let select = Select::new("files", FIELDS).filter(equals("name", name)).limit(2);
        let rows: Vec<Row> = self.client.rows(what, &select).await?;
        // A server that compares without case must not choose for us.
        let mut rows = rows.into_iter().filter(|row| row.get("name").and_then(Value::as_str) == Some(name));
        let Some(row) = rows.next() else { return Ok(None) };
        if rows.next().is_some() {
            return Err(self
                .client
                .error(ErrorKind::Conflict, what, "there are several of that name")
                .hint("`esker vm resource files list` shows their keys"));
        }
        let key = row.get("$key").and_then(text).ok_or_else(|| self.client.garbled(what, "a file has no key"))?;
        Ok(Some(Known { key, size: number(&row, "filesize").unwrap_or(0), row }))
    }

    async fn found(&self, what: &str, name: &str) -> Result<Known> {
        let known = self.known(what, name).await?;
        known.ok_or_else(|| {
            self.client.error(ErrorKind::NotFound, what, "there is no such file").hint("`esker files list` shows all")
        })
    }

    async fn delete(&self, what: &str, key: &str) -> Result<()> {
        self.client.send::<Value>(what, Method::DELETE, &format!("files/{key}"), None::<&Row>).await.map(drop)
    }
}

fn number(row: &Row, name: &str) -> Option<u64> {
    let value = row.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn entry(mut row: Row) -> FileEntry {
    let name = row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let modified = row.get("modified").and_then(Value::as_i64).filter(|seconds| *seconds > 0);
    let size_bytes = number(&row, "filesize");
    for known in ["name", "modified", "filesize"] {
        row.shift_remove(known);
    }
    row.retain(|_, value| !value.is_null());
    FileEntry {
        size_bytes,
        modified_at: modified.and_then(|seconds| Time::from_second(seconds).ok()),
        extra: row,
        ..FileEntry::new(&*name, RemotePath::new(format!("/{name}")), FileKind::File)
    }
}

fn root() -> FileEntry {
    let row = Row::from_iter([("name".to_owned(), "".into())]);
    FileEntry {
        path: RemotePath::from("/"),
        kind: FileKind::Directory,
        size_bytes: None,
        extra: Extra::new(),
        ..entry(row)
    }
}

#[async_trait]
impl Files for VergeFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        if !Self::is_root(dir) {
            let (files, path) = (self.clone(), dir.clone());
            let one = async move { stream::iter([files.stat(&path, true).await]) };
            return one.flatten_stream().boxed();
        }
        let select = Select::new("files", FIELDS).sort("+name,$key");
        let rows: Items<Row> = self.client.pages("list the catalog", select);
        rows.map_ok(entry).boxed()
    }

    async fn stat(&self, path: &RemotePath, _follow: bool) -> Result<FileEntry> {
        if Self::is_root(path) {
            return Ok(root());
        }
        let name = Self::name(path)?;
        self.found(&format!("find `{path}`"), &name).await.map(|known| entry(known.row))
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        self.read_one(path, range).await
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.write_one(to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        // What asks for all directories above a file asks for the root.
        if spec.parents && Self::is_root(path) {
            return Ok(());
        }
        Err(unsupported(&super::DRIVER, Feature::FilesDirectories, "files mkdir"))
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        let mut verdicts = Vec::new();
        for path in paths {
            let what = format!("remove `{path}`");
            let verdict = async {
                let name = Self::name(path)?;
                match self.known(&what, &name).await? {
                    Some(known) => self.delete(&what, &known.key).await,
                    None if recursive => Ok(()),
                    None => self.found(&what, &name).await.map(drop),
                }
            };
            verdicts.push((path.clone(), verdict.await));
        }
        Ok(verdicts)
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        let what = format!("rename `{from}` to `{to}`");
        let (from, to) = (Self::name(from)?, Self::name(to)?);
        let known = self.found(&what, &from).await?;
        self.rename_key(&what, &known.key, &to).await
    }
}

impl VergeFiles {
    /// Gives a file its name. One that has it already goes first; if it is in use, nothing is changed.
    async fn rename_key(&self, what: &str, key: &str, to: &str) -> Result<()> {
        if let Some(old) = self.known(what, to).await?.filter(|old| old.key != key) {
            self.delete(what, &old.key).await?;
        }
        self.client
            .send::<Value>(what, Method::PUT, &format!("files/{key}"), Some(&json!({ "name": to })))
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_flat() {
        let name = |path: &str| VergeFiles::name(&RemotePath::from(path));
        assert_eq!(name("/a b#.iso").unwrap(), "a b#.iso");
        assert_eq!(name("a.iso").unwrap(), "a.iso");
        for path in ["/", "/a/b", "a/"] {
            assert_eq!(name(path).unwrap_err().kind(), ErrorKind::Usage, "{path}");
        }
    }

    #[test]
    fn rows_become_entries() {
        let row = json!({"$key": 3, "name": "x.iso", "filesize": "2048", "modified": 1_769_904_000, "type": "iso"});
        let entry = entry(row.as_object().cloned().unwrap());
        assert_eq!((entry.path.to_string(), entry.size_bytes), ("/x.iso".to_owned(), Some(2048)));
        assert_eq!(entry.extra["type"], json!("iso"));
        let known: Vec<_> = crate::provider::vergeos::tables::known("files").projected().collect();
        assert!(FIELDS.split(',').all(|field| known.contains(&field)));
    }
}
