//! A text file as lines that edits move as a whole, so that all others stay as they are.

use super::document::{Entry, Node};

/// The lines of a file, each with its end, that edits move as a whole.
pub(super) struct Lines {
    lines: Vec<String>,
    end: &'static str,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push_str(end);
        }
        Self { lines, end }
    }

    pub(super) fn text(self) -> String {
        self.lines.concat()
    }

    fn ended(&self, new: Vec<String>) -> Vec<String> {
        new.into_iter().map(|line| line + self.end).collect()
    }

    pub(super) fn append(&mut self, new: Vec<String>) {
        let new = self.ended(new);
        self.lines.extend(new);
    }

    /// Inserts behind line `after`.
    pub(super) fn insert(&mut self, after: usize, new: Vec<String>) {
        let new = self.ended(new);
        self.lines.splice(after..after, new);
    }

    pub(super) fn replace(&mut self, entry: &Entry, new: Vec<String>) {
        let end = self.end(entry);
        let new = self.ended(new);
        self.lines.splice(entry.line - 1..end, new);
    }

    /// The last line of an entry, without blanks and comments that follow it.
    pub(super) fn end(&self, entry: &Entry) -> usize {
        let mut end = entry.value.end.max(entry.line).min(self.lines.len());
        while end > entry.line {
            let line = &self.lines[end - 1];
            let text = line.trim_start();
            let indent = line.len() - text.len();
            let follows = text.is_empty() || (text.starts_with('#') && indent <= entry.column);
            if !follows {
                break;
            }
            end -= 1;
        }
        end
    }

    /// Puts `new` in the place of a value that is within one line.
    pub(super) fn splice(&mut self, node: &Node, new: &str) {
        let line = &mut self.lines[node.line - 1];
        let at = |column| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let range = at(node.columns.0)..at(node.columns.1);
        line.replace_range(range, new);
    }

    /// Takes an empty inline map out of its line.
    pub(super) fn cut(&mut self, node: &Node) -> Result<(), String> {
        if node.line != node.end {
            return Err("an inline map spans lines".to_owned());
        }
        self.splice(node, "");
        let line = &mut self.lines[node.line - 1];
        *line = format!("{}{}", line.trim_end(), self.end);
        Ok(())
    }
}
