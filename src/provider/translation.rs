//! How the commands of another client of the same system are written here: a table in the provider, a manual page.

/// Another client, and its commands.
#[derive(Debug)]
pub struct Translation {
    /// What it is called.
    pub client: &'static str,
    /// The version that was looked at.
    pub version: &'static str,
    /// What has to be known of all of them.
    pub about: &'static str,
    /// One command a line: `theirs | ours | FLAG=ours ; FLAG=ours | note`. Ours is `-` where there is none, and the note
    /// is the reason. One text, so that nothing but the manual pays for it.
    pub text: &'static str,
}

/// A command of the other client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// As it is written there, without its arguments.
    pub theirs: &'static str,
    /// As it is written here; `None` if there is no need for it.
    pub ours: Option<&'static str>,
    /// Its flags, each with what it is here.
    pub flags: Vec<(&'static str, &'static str)>,
    /// What is different; empty if nothing is.
    pub note: &'static str,
}

impl Translation {
    /// Every command.
    pub fn commands(&self) -> impl Iterator<Item = Translated> {
        self.text.lines().filter(|line| !line.is_empty()).map(|line| {
            let mut parts = line.split(" | ").map(str::trim);
            let (theirs, ours) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let flags = parts.next().filter(|flags| *flags != "-").unwrap_or_default();
            let flags = flags.split(" ; ").filter_map(|flag| flag.split_once('='));
            Translated {
                theirs,
                ours: (ours != "-").then_some(ours),
                flags: flags.collect(),
                note: parts.next().unwrap_or_default(),
            }
        })
    }
}
