//! `agent answer`: the answer to a question that a session waits with.

use super::live::{client, print};
use crate::agent::policy;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::model::DialogKind;
use crate::provider::agent::Answer;
use crate::provider::labels;
use crate::supervisor::Request;
use clap::Args;
use serde_json::Value;

#[derive(Args, Debug)]
#[command(after_help = "\
A question about permission takes yes or no; a choice one of its options, as it
stands or by its number; any other a text. `agent show` lists what is open.

Examples:
  esker agent answer fix 4498db05 yes
  esker agent answer fix 67e3a0f4 2
  esker agent answer fix 67e3a0f4 --cancel")]
pub struct AnswerArgs {
    /// Session that asks
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// Question: its id or a beginning of it
    #[arg(value_name = "ID")]
    question: String,
    /// The answer
    #[arg(value_name = "VALUE", required_unless_present = "cancel", conflicts_with = "cancel")]
    value: Option<String>,
    /// Close the question without an answer
    #[arg(long)]
    cancel: bool,
}

/// Answers a question.
pub async fn run(ctx: &Ctx, args: AnswerArgs) -> anyhow::Result<Outcome> {
    let client = client(ctx, &args.name)?;
    let live = client.show().await?;
    let mut meant = live.questions.iter().filter(|question| question.request_id.as_str().starts_with(&args.question));
    let dialog = match (meant.next(), meant.next()) {
        (Some(dialog), None) => dialog,
        (Some(_), Some(_)) => {
            return Err(Error::conflict(format!("`{}` begins several questions", args.question)).into());
        }
        (None, _) => {
            let error = Error::conflict(format!("the question `{}` is not open", args.question));
            return Err(error.hint(format!("`esker agent show {}` shows those that are", args.name)).into());
        }
    };
    let answer = match args.value {
        None => Answer::Cancelled,
        Some(value) if dialog.kind == DialogKind::Question => Answer::Value(value),
        Some(value) => {
            let number = value.parse::<usize>().ok().and_then(|number| dialog.options.get(number.checked_sub(1)?));
            match number.or_else(|| dialog.options.iter().find(|option| **option == value)) {
                Some(option) => Answer::Value(option.clone()),
                None => {
                    labels::typed(&value).and_then(|decision| policy::answer(dialog, decision)).ok_or_else(|| {
                        let known =
                            if dialog.options.is_empty() { "yes, no".to_owned() } else { dialog.options.join(", ") };
                        Error::usage(format!("`{value}` is no answer to `{}`", dialog.prompt))
                            .hint(format!("answers are {known}"))
                    })?
                }
            }
        }
    };
    client.ask(&Request::Answer { dialog: dialog.request_id.clone(), answer }).await?;
    print(ctx, &client.show().await?, &format!("answered `{}`", args.name), &Value::Null)?;
    Ok(Outcome::Done)
}
