//! From the words of a command line to the leaf that was meant and its arguments.
//!
//! The usual line names its leaf in the first words, so only that leaf is built and parsed: a quarter of the
//! instructions of walking clap's tree, which copies every global flag into every level. Whatever is unusual (flags
//! before the noun, a name that does not exist, `help`) goes to the whole tree, which has the better messages.

use super::tree::{Kind, Node, find};
use super::{Globals, TREE};
use clap::{ArgMatches, Args, Command};
use std::ffi::OsString;

/// The leaf that was meant.
pub struct Chosen {
    /// The leaf.
    pub node: &'static Node,
    /// Its full name, without that of the program.
    pub name: String,
    /// Its arguments.
    pub matches: ArgMatches,
}

/// Parses a command line, its first word the program's name.
pub fn parse(argv: &[OsString]) -> Result<Chosen, clap::Error> {
    match leaf(argv) {
        Some((node, name, rest)) => alone(node, name, rest),
        None => whole(argv),
    }
}

/// The leaf that the first words name exactly, its full name, and the words after it.
fn leaf(argv: &[OsString]) -> Option<(&'static Node, String, &[OsString])> {
    let (mut nodes, mut name) = (TREE, String::new());
    for (at, word) in argv.iter().enumerate().skip(1) {
        let word = word.to_str()?;
        let node = nodes.iter().find(|node| node.name == word || node.alias == Some(word))?;
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(node.name);
        match &node.kind {
            Kind::Leaf { .. } => return Some((node, name, &argv[at + 1..])),
            Kind::Group { children, .. } => nodes = children,
        }
    }
    None
}

/// Parses the words after a leaf's name.
fn alone(node: &'static Node, name: String, rest: &[OsString]) -> Result<Chosen, clap::Error> {
    let Kind::Leaf { args, .. } = &node.kind else { return whole(rest) };
    let command = root(Command::new(node.name)).about(node.about).no_binary_name(true);
    let mut command = Globals::augment_args(args(command)).bin_name(format!("esker {name}"));
    let matches = command.try_get_matches_from_mut(rest);
    // Taking it apart would cost as much as a tenth of the whole run, and the process ends soon.
    std::mem::forget(command);
    Ok(Chosen { node, name, matches: matches? })
}

/// Parses with the whole tree.
fn whole(argv: &[OsString]) -> Result<Chosen, clap::Error> {
    let mut command = super::command();
    let matches = command.try_get_matches_from_mut(argv)?;
    match find(TREE, matches) {
        Some((node, matches, name)) => Ok(Chosen { node, name, matches }),
        None => Err(command.error(clap::error::ErrorKind::MissingSubcommand, "no command is named")),
    }
}

/// What is the same for the whole tree and for a leaf alone.
pub(super) fn root(command: Command) -> Command {
    command.max_term_width(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<OsString> {
        std::iter::once("esker").chain(line.split(' ')).map(OsString::from).collect()
    }

    /// Every leaf with its full name.
    fn leaves(nodes: &'static [Node], prefix: &str, all: &mut Vec<(&'static Node, String)>) {
        for node in nodes {
            let name = format!("{prefix}{}", node.name);
            match &node.kind {
                Kind::Leaf { .. } => all.push((node, name)),
                Kind::Group { children, .. } => leaves(children, &format!("{name} "), all),
            }
        }
    }

    #[test]
    fn a_leaf_alone_and_the_whole_tree_say_the_same() {
        let mut all = Vec::new();
        leaves(TREE, "", &mut all);
        assert!(all.len() > 20);
        for (_, name) in all {
            for flag in ["--help", "-h", "--no-such-flag"] {
                let line = argv(&format!("{name} {flag}"));
                // Alone, a leaf's own flags come before the global ones; the tree has them after.
                let said = |parsed: Result<Chosen, clap::Error>| {
                    let text = parsed.err().map(|error| error.render().to_string()).unwrap_or_default();
                    let mut lines: Vec<String> =
                        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
                    lines.sort_unstable();
                    lines
                };
                assert_eq!(said(parse(&line)), said(whole(&line)), "{name} {flag}");
            }
        }
    }

    #[test]
    fn flags_may_stand_before_the_noun_and_aliases_are_names() {
        for line in ["svc list -q", "svc ls -q", "-q svc list", "svc -q ls"] {
            let chosen = parse(&argv(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(chosen.name, "svc list", "{line}");
            assert!(chosen.matches.get_flag("quiet"), "{line}");
        }
    }

    #[test]
    fn the_whole_tree_is_sound() {
        super::super::command().debug_assert();
    }
}
