//! The columns of files.

use crate::model::{FileEntry, FileKind};
use crate::output::{Cell, Column};

const MODE: Column<FileEntry> = Column::new("MODE", "mode", |f: &FileEntry| Cell::maybe(symbolic(f)));
const USER: Column<FileEntry> =
    Column::new("USER", "user", |f: &FileEntry| Cell::maybe(either(f.user.as_ref(), f.user_id)));
const GROUP: Column<FileEntry> =
    Column::new("GROUP", "group", |f: &FileEntry| Cell::maybe(either(f.group.as_ref(), f.group_id)));
const SIZE: Column<FileEntry> = Column::new("SIZE", "size_bytes", |f: &FileEntry| Cell::Size(f.size_bytes));
const MODIFIED: Column<FileEntry> = Column::new("MODIFIED", "modified_at", |f: &FileEntry| Cell::Time(f.modified_at));
const NAME: Column<FileEntry> = Column::new("NAME", "name", |f: &FileEntry| Cell::text(with_target(&f.name, f)));
const PATH: Column<FileEntry> = Column::new("PATH", "path", |f: &FileEntry| Cell::text(with_target(&f.path.text(), f)));
const TYPE: Column<FileEntry> = Column::new("TYPE", "type", |f: &FileEntry| Cell::text(word(f.kind))).wide();

/// Of the entries of one directory.
pub(super) const NAMES: &[Column<FileEntry>] = &[MODE, USER, GROUP, SIZE, MODIFIED, NAME, TYPE];

/// Of entries from several.
pub(super) const PATHS: &[Column<FileEntry>] = &[MODE, USER, GROUP, SIZE, MODIFIED, PATH, TYPE];

fn either(name: Option<&String>, id: Option<u32>) -> Option<String> {
    name.cloned().or_else(|| id.map(|id| id.to_string()))
}

fn with_target(name: &str, entry: &FileEntry) -> String {
    match &entry.link_target {
        Some(target) => format!("{name} -> {target}"),
        None => name.to_owned(),
    }
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "symlink",
        FileKind::Socket => "socket",
        FileKind::NamedPipe => "named_pipe",
        FileKind::Device => "device",
        FileKind::Unknown => "unknown",
    }
}

/// `drwxr-xr-x`, as `ls` shows it.
fn symbolic(entry: &FileEntry) -> Option<String> {
    let mode = entry.mode_bits()?;
    let kind = match entry.kind {
        FileKind::File => '-',
        FileKind::Directory => 'd',
        FileKind::Symlink => 'l',
        FileKind::Socket => 's',
        FileKind::NamedPipe => 'p',
        FileKind::Device => 'b',
        FileKind::Unknown => '?',
    };
    let bits = (0..9).map(|i| if mode & (0o400 >> i) != 0 { ['r', 'w', 'x'][i % 3] } else { '-' });
    Some(std::iter::once(kind).chain(bits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_look_as_in_ls() {
        let entry = |kind, mode: &str| FileEntry { mode: Some(mode.to_owned()), ..FileEntry::new("", "/", kind) };
        assert_eq!(symbolic(&entry(FileKind::Directory, "755")).as_deref(), Some("drwxr-xr-x"));
        assert_eq!(symbolic(&entry(FileKind::File, "601")).as_deref(), Some("-rw------x"));
        assert_eq!(symbolic(&entry(FileKind::Symlink, "777")).as_deref(), Some("lrwxrwxrwx"));
        assert_eq!(symbolic(&entry(FileKind::File, "junk")), None);
    }
}
