//! What the agent is told: the prompt, what stdin adds to it, pictures, and the schema of its answer.

use super::args::RunArgs;
use crate::agent::schema::Schema;
use crate::cli::source::read_text;
use crate::config::reason;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::agent::{Command, Image, Queue};
use crate::provider::local;
use crate::stream;
use bytes::Bytes;
use std::path::Path;

/// The prompt as a command.
pub(super) async fn prompt(ctx: &Ctx, args: &RunArgs, schema: Option<&Schema>) -> Result<Command> {
    let named = match (&args.prompt, &args.prompt_file) {
        (Some(text), _) if text != "-" => Some(text.clone()),
        (_, Some(path)) if path != Path::new("-") => Some(read_text(path)?),
        _ => None,
    };
    let piped = if ctx.out.stdin_is_tty() { None } else { Some(stdin().await?).filter(|text| !text.trim().is_empty()) };
    let mut text = match (named, piped) {
        (Some(prompt), Some(context)) => format!("{}\n\n<stdin>\n{}\n</stdin>", prompt.trim_end(), context.trim_end()),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => {
            return Err(
                Error::usage("there is no prompt").hint("give it as an argument, by --prompt-file, or on stdin")
            );
        }
    };
    if text.trim().is_empty() {
        // It would run, and cost (pi reference 2.2).
        return Err(Error::usage("the prompt is empty"));
    }
    if let Some(schema) = schema {
        text.push_str("\n\nAnswer with JSON alone, without a code block. It must keep to this JSON Schema:\n");
        text.push_str(&schema.text());
    }
    let images = args.image.iter().map(|path| image(path)).collect::<Result<_>>()?;
    Ok(Command::Prompt { text, images, queue: Queue::Refuse })
}

/// What an answer is told that is not what the schema wants.
pub(super) fn again(wrong: &str) -> Command {
    let text = format!("That answer does not keep to the schema: {wrong}. Answer again, with the JSON alone.");
    Command::Prompt { text, images: Vec::new(), queue: Queue::Refuse }
}

async fn stdin() -> Result<String> {
    let bytes: Vec<Bytes> = stream::collect(local::stdin()).await?;
    String::from_utf8(bytes.concat()).map_err(|error| {
        Error::usage(format!("stdin is no text: byte {} is not UTF-8", error.utf8_error().valid_up_to()))
    })
}

fn image(path: &Path) -> Result<Image> {
    let shown = path.display();
    let data =
        std::fs::read(path).map_err(|error| Error::config(format!("cannot read `{shown}`: {}", reason(&error))))?;
    // By content: names lie, and the agent passes the type on.
    let mime_type = match data.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return Err(Error::usage(format!("`{shown}` is no picture")).hint("PNG, JPEG, GIF and WebP are taken")),
    };
    Ok(Image { data: data.into(), mime_type: mime_type.to_owned() })
}
