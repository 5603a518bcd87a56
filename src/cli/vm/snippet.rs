//! `vm snippet`: small scripts that an account keeps, run as any other program.

use crate::cli::exec::{self, ExecArgs};
use crate::cli::tree::{Node, talk};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::Snippet;
use crate::output::{Cell, Column, ListOptions};
use crate::provider::Feature;
use crate::provider::feature::capability;
use crate::suggest::nearest;
use clap::Args;
use std::ffi::OsString;

pub(super) static TREE: &[Node] = &[
    talk!("list", SnippetListArgs, list, "List snippets").alias("ls"),
    talk!("run", SnippetRunArgs, run, "Run a snippet in a machine, with its true exit code").passes_status(),
];

const COLUMNS: &[Column<Snippet>] = &[
    Column::new("NAME", "name", |s: &Snippet| Cell::text(&s.name)),
    Column::new("LANGUAGE", "language", |s: &Snippet| Cell::text(&s.language)),
    Column::new("USES", "uses", |s: &Snippet| Cell::count(s.uses)),
    Column::new("DESCRIPTION", "description", |s: &Snippet| Cell::maybe(s.description.as_deref())).elastic(),
    Column::new("ID", "id", |s: &Snippet| Cell::text(&s.id)).wide(),
    Column::new("CREATED", "created_at", |s: &Snippet| Cell::Time(s.created_at)).wide(),
];

/// With what a snippet in a language is run: the program, and the flag that takes the script.
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("sh", "sh", "-c"),
    ("zsh", "zsh", "-c"),
    ("fish", "fish", "-c"),
    ("python", "python3", "-c"),
    ("javascript", "node", "-e"),
    ("node", "node", "-e"),
    ("ruby", "ruby", "-e"),
    ("perl", "perl", "-e"),
    ("php", "php", "-r"),
];

/// Runs `$0` with the shell that a snippet expects, which is `bash` where nobody said otherwise.
const BASH: &str = r#"if command -v bash >/dev/null 2>&1; then exec bash -c "$0" "$@"; fi; exec sh -c "$0" "$@""#;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm snippet list --target rexec
  esker vm snippet list --target rexec -o json | jq -r '.[].content'")]
pub struct SnippetListArgs {}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes are those of `esker exec`. Arguments are the script's `$1`, `$2`, …

Examples:
  esker vm snippet run disk --target rexec/box
  esker vm snippet run disk --target rexec/box -- /home")]
pub struct SnippetRunArgs {
    /// The snippet, by name or id
    #[arg(value_name = "NAME", add = complete::snippets())]
    name: String,
    /// What it gets as arguments
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
}

/// Lists snippets.
pub async fn list(ctx: &Ctx, _args: SnippetListArgs) -> anyhow::Result<Outcome> {
    let asked = "vm snippet list";
    let gathered = ctx
        .read(&(Feature::Snippets, asked), |target| async move {
            capability(&*target.place, |place| place.snippets(), Feature::Snippets, asked)?.list().await
        })
        .await?;
    let (rows, gathered) = gathered.rows(|rows| rows);
    ctx.list(&rows, COLUMNS, &ListOptions::default(), gathered)
}

/// Runs a snippet as `exec` runs programs.
pub async fn run(ctx: &Ctx, args: SnippetRunArgs) -> anyhow::Result<Outcome> {
    let asked = "vm snippet run";
    let target = ctx.target(&(Feature::Snippets, asked))?;
    let snippets = capability(&*target.place, |place| place.snippets(), Feature::Snippets, asked)?;
    let located = |error: Error| error.at(target.provider.driver().id, &*target.full);
    let snippet = find(snippets.list().await.map_err(located)?, &args.name).map_err(located)?;
    let command = command(&snippet, args.arguments)?;
    let outcome = exec::run(ctx, ExecArgs::of(command)).await;
    // Only a count over there: whether it was kept changes nothing.
    let _ = snippets.used(&snippet.id).await;
    outcome
}

fn find(all: Vec<Snippet>, name: &str) -> Result<Snippet> {
    let mut found: Vec<&Snippet> = all.iter().filter(|snippet| snippet.id == name).collect();
    if found.is_empty() {
        found = all.iter().filter(|snippet| snippet.name == name).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let error = Error::not_found(format!("no snippet `{name}`"));
            Err(match nearest(name, all.iter().map(|snippet| snippet.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`esker vm snippet list` shows all"),
            })
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|snippet| snippet.id.as_str()).collect();
            Err(Error::conflict(format!("`{name}` names {} snippets", several.len()))
                .cause(format!("they are {}", ids.join(", ")))
                .hint("write the id of one of them"))
        }
    }
}

/// The program that runs a snippet.
fn command(snippet: &Snippet, arguments: Vec<OsString>) -> Result<Vec<OsString>> {
    let language = snippet.language.to_ascii_lowercase();
    let content = OsString::from(&snippet.content);
    let mut words: Vec<OsString> = match LANGUAGES.iter().find(|(name, ..)| *name == language) {
        // A shell takes its own name between the script and its arguments.
        Some((_, program @ ("sh" | "zsh"), flag)) => {
            vec![program.into(), flag.into(), content, (&snippet.name).into()]
        }
        Some((_, program, flag)) => vec![program.into(), flag.into(), content],
        None if matches!(language.as_str(), "" | "bash" | "shell") => {
            vec!["sh".into(), "-c".into(), BASH.into(), content, (&snippet.name).into()]
        }
        None => {
            return Err(Error::unsupported(format!("a snippet in {language} cannot be run"))
                .hint("`esker vm snippet list -o json` shows what it says"));
        }
    };
    words.extend(arguments);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(id: &str, name: &str, language: &str) -> Snippet {
        Snippet {
            id: id.into(),
            name: name.into(),
            language: language.into(),
            content: "echo $0 $1".into(),
            description: None,
            public: false,
            uses: 0,
            created_at: None,
            extra: crate::model::Extra::new(),
        }
    }

    #[test]
    fn a_snippet_is_found_by_id_or_by_a_name_that_only_one_has() {
        let all = || vec![snippet("1", "a", "bash"), snippet("2", "a", "sh"), snippet("3", "disk", "sh")];
        assert_eq!(find(all(), "2").unwrap().id, "2");
        assert_eq!(find(all(), "disk").unwrap().id, "3");
        assert_eq!(find(all(), "a").unwrap_err().kind(), crate::error::ErrorKind::Conflict);
        assert_eq!(find(all(), "dosk").unwrap_err().parts().hint.as_deref(), Some("did you mean `disk`?"));
    }

    #[test]
    fn a_snippet_runs_by_its_language() {
        let words = |language: &str| {
            command(&snippet("1", "n", language), vec!["x".into()]).map(|words| words.join(" ".as_ref()))
        };
        assert_eq!(words("python").unwrap(), "python3 -c echo $0 $1 x");
        assert_eq!(words("sh").unwrap(), "sh -c echo $0 $1 n x");
        assert!(words("bash").unwrap().to_string_lossy().ends_with("echo $0 $1 n x"));
        assert!(words("cobol").is_err());
    }
}
