//! What is said beside an answer, carried from wherever it happens to whoever shows it.

use crate::model::Note;
use std::fmt;
use std::sync::Arc;

/// Where notes go. Cheap to clone; a default one drops them.
#[derive(Clone, Default)]
pub struct Notes(Option<Arc<dyn Fn(Note) + Send + Sync>>);

impl Notes {
    /// Notes that `show` gets as they happen.
    pub fn new(show: impl Fn(Note) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(show)))
    }

    /// Passes a note on.
    pub fn say(&self, note: Note) {
        if let Some(show) = &self.0 {
            show(note);
        }
    }

    /// Passes on something to act on.
    pub fn warn(&self, text: impl Into<String>) {
        self.say(Note::Warning(text.into()));
    }

    /// Passes on something worth knowing.
    pub fn info(&self, text: impl Into<String>) {
        self.say(Note::Info(text.into()));
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes")
    }
}
