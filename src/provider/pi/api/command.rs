//! What is told to an agent: commands and answers, as lines.

use crate::provider::agent::{Answer, Command, Queue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The type of a command, and its other fields.
pub fn command(command: &Command) -> (String, Map<String, Value>) {
    let (kind, fields) = match command {
        Command::Prompt { text, images, queue } => {
            let mut fields = json!({ "message": text });
            if !images.is_empty() {
                let image = |image: &crate::provider::agent::Image| json!({ "type": "image", "data": STANDARD.encode(&image.data), "mimeType": image.mime_type });
                fields["images"] = images.iter().map(image).collect();
            }
            match queue {
                Queue::Refuse => {}
                Queue::Steer => fields["streamingBehavior"] = "steer".into(),
                Queue::FollowUp => fields["streamingBehavior"] = "followUp".into(),
            }
            ("prompt", fields)
        }
        Command::Abort => ("abort", Value::Null),
        Command::Bash { command, private } => {
            let mut fields = json!({ "command": command });
            if *private {
                fields["excludeFromContext"] = true.into();
            }
            ("bash", fields)
        }
        Command::Models => ("get_available_models", Value::Null),
        Command::ExportHtml { path } => match path {
            Some(path) => ("export_html", json!({ "outputPath": path })),
            None => ("export_html", Value::Null),
        },
        Command::Other { kind, data } => return (kind.clone(), data.clone()),
    };
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    (kind.to_owned(), fields)
}

/// A command as a line. Always an object: a bare `null` would end pi (section 2.2).
pub fn command_line(id: &str, kind: &str, fields: &Map<String, Value>) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("id".to_owned(), id.into());
    object.insert("type".to_owned(), kind.into());
    for (key, value) in fields {
        if key != "id" && key != "type" {
            object.insert(key.clone(), value.clone());
        }
    }
    line(object)
}

/// The answer to a dialog as a line (section 2.6).
pub fn answer_line(id: &str, answer: &Answer) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("type".to_owned(), "extension_ui_response".into());
    object.insert("id".to_owned(), id.into());
    match answer {
        Answer::Value(value) => object.insert("value".to_owned(), value.as_str().into()),
        Answer::Confirmed(yes) => object.insert("confirmed".to_owned(), (*yes).into()),
        Answer::Cancelled => object.insert("cancelled".to_owned(), true.into()),
    };
    line(object)
}

fn line(object: Map<String, Value>) -> Vec<u8> {
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn commands_are_what_the_reference_says() {
        let line = |what: Command| {
            let (kind, fields) = command(&what);
            String::from_utf8(command_line("c1", &kind, &fields)).unwrap()
        };
        let prompt = |queue| Command::Prompt { text: "a\u{2028}b\n".into(), images: Vec::new(), queue };
        assert_eq!(line(prompt(Queue::Refuse)), "{\"id\":\"c1\",\"type\":\"prompt\",\"message\":\"a\u{2028}b\\n\"}\n");
        assert!(line(prompt(Queue::Steer)).contains(r#""streamingBehavior":"steer""#));
        assert!(line(prompt(Queue::FollowUp)).contains(r#""streamingBehavior":"followUp""#));
        let image = crate::provider::agent::Image { data: Bytes::from_static(b"\xff"), mime_type: "image/png".into() };
        let pictured = Command::Prompt { text: "x".into(), images: vec![image], queue: Queue::Refuse };
        assert!(line(pictured).contains(r#""images":[{"type":"image","data":"/w==","mimeType":"image/png"}]"#));
        assert_eq!(line(Command::Abort), "{\"id\":\"c1\",\"type\":\"abort\"}\n");
        let bash = Command::Bash { command: "ls".into(), private: true };
        assert_eq!(line(bash), "{\"id\":\"c1\",\"type\":\"bash\",\"command\":\"ls\",\"excludeFromContext\":true}\n");
        // Neither the id nor the type of a command can be smuggled in beside it.
        let data = json!({"id": "x", "type": "y", "level": "high"}).as_object().unwrap().clone();
        assert_eq!(
            line(Command::Other { kind: "set_thinking_level".into(), data }),
            "{\"id\":\"c1\",\"type\":\"set_thinking_level\",\"level\":\"high\"}\n"
        );
    }

    #[test]
    fn answers_are_what_the_reference_says() {
        let line = |answer| String::from_utf8(answer_line("d", &answer)).unwrap();
        let begin = r#"{"type":"extension_ui_response","id":"d","#;
        assert_eq!(line(Answer::Value("Approve".into())), format!("{begin}\"value\":\"Approve\"}}\n"));
        assert_eq!(line(Answer::Confirmed(false)), format!("{begin}\"confirmed\":false}}\n"));
        assert_eq!(line(Answer::Cancelled), format!("{begin}\"cancelled\":true}}\n"));
    }
}
