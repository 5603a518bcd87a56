//! The command tree: one line per command, nothing else. It feeds clap, dispatch, help, man pages and completions.
//!
//! Leaves are derived, the tree is put together with `Command::defer`, so that a command costs its own arguments and
//! not those of its siblings.

use super::outcome::Outcome;
use crate::context::{Ctx, Reads};
use clap::{ArgMatches, Command};
use futures_util::future::LocalBoxFuture;

/// What a command does.
#[derive(Clone, Copy)]
pub enum Run {
    /// Without talking to anybody: no runtime is built.
    Plain(fn(&Ctx, &mut ArgMatches) -> anyhow::Result<Outcome>),
    /// With a runtime.
    Talk(for<'a> fn(&'a Ctx, &'a mut ArgMatches) -> LocalBoxFuture<'a, anyhow::Result<Outcome>>),
}

impl Run {
    /// Runs it.
    pub async fn once(&self, ctx: &Ctx, matches: &mut ArgMatches) -> anyhow::Result<Outcome> {
        match self {
            Self::Plain(run) => run(ctx, matches),
            Self::Talk(run) => run(ctx, matches).await,
        }
    }
}

/// A command or a group of commands.
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// A visible alias.
    pub alias: Option<&'static str>,
    /// One line of help.
    pub about: &'static str,
    /// Hidden from help and man pages.
    pub hidden: bool,
    /// What of the configuration it reads.
    pub reads: Reads,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
pub enum Kind {
    /// A command.
    Leaf {
        /// Its arguments.
        args: fn(Command) -> Command,
        /// What it does.
        run: Run,
        /// Whether it passes on the status of a remote program, so that our own failures are 125 (ux 3.2).
        passes_status: bool,
    },
    /// A group.
    Group {
        /// Its commands.
        children: &'static [Node],
        /// Adds them to its clap command.
        add: fn(Command) -> Command,
    },
}

impl Node {
    /// A node that is visible, has no alias and reads the configuration.
    pub const fn new(name: &'static str, about: &'static str, kind: Kind) -> Self {
        Self { name, alias: None, about, hidden: false, reads: Reads::Config, kind }
    }

    /// A command.
    pub const fn leaf(name: &'static str, about: &'static str, args: fn(Command) -> Command, run: Run) -> Self {
        Self::new(name, about, Kind::Leaf { args, run, passes_status: false })
    }

    /// A visible alias for it.
    pub const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Hides it from help and man pages.
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Lets it run whatever the configuration looks like.
    pub const fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// Makes our own failures 125, since it passes on the status of a remote program.
    pub const fn passes_status(mut self) -> Self {
        if let Kind::Leaf { args, run, .. } = self.kind {
            self.kind = Kind::Leaf { args, run, passes_status: true };
        }
        self
    }

    /// The clap command of it, whose arguments are made only if they are looked at.
    pub fn command(&'static self) -> Command {
        let mut command = Command::new(self.name).about(self.about).hide(self.hidden);
        if let Some(alias) = self.alias {
            command = command.visible_alias(alias);
        }
        match &self.kind {
            Kind::Leaf { args, .. } => command.defer(*args),
            Kind::Group { add, .. } => command.subcommand_required(true).arg_required_else_help(true).defer(*add),
        }
    }
}

/// A command that talks.
macro_rules! talk {
    ($name:literal, $args:ty, $run:path, $about:literal) => {
        $crate::cli::tree::Node::leaf(
            $name,
            $about,
            <$args as clap::Args>::augment_args,
            $crate::cli::tree::Run::Talk(|ctx, matches| {
                Box::pin(async move { $run(ctx, $crate::cli::tree::read::<$args>(matches)?).await })
            }),
        )
    };
}

/// A command that does not talk.
macro_rules! plain {
    ($name:literal, $args:ty, $run:path, $about:literal) => {
        $crate::cli::tree::Node::leaf(
            $name,
            $about,
            <$args as clap::Args>::augment_args,
            $crate::cli::tree::Run::Plain(|ctx, matches| $run(ctx, $crate::cli::tree::read::<$args>(matches)?)),
        )
    };
}

/// A group of commands.
macro_rules! group {
    ($name:literal, $about:literal, $children:expr) => {
        $crate::cli::tree::Node::new(
            $name,
            $about,
            $crate::cli::tree::Kind::Group {
                children: $children,
                add: |command| command.subcommands($children.iter().map($crate::cli::tree::Node::command)),
            },
        )
    };
}

pub(crate) use {group, plain, talk};

/// Takes the arguments of a leaf, which clap has checked already, out of its matches.
pub fn read<A: clap::FromArgMatches>(matches: &mut ArgMatches) -> anyhow::Result<A> {
    A::from_arg_matches_mut(matches).map_err(|error| crate::error::Error::internal(error).into())
}

/// The leaf that `matches` chose, with its own matches and its full name.
pub fn find(nodes: &'static [Node], mut matches: ArgMatches) -> Option<(&'static Node, ArgMatches, String)> {
    let (name, inner) = matches.remove_subcommand()?;
    let node = nodes.iter().find(|node| node.name == name)?;
    match &node.kind {
        Kind::Leaf { .. } => Some((node, inner, name)),
        Kind::Group { children, .. } => {
            let (leaf, matches, rest) = find(children, inner)?;
            Some((leaf, matches, format!("{name} {rest}")))
        }
    }
}
