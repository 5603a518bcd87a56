//! The rows of the comparison, as they are written in `rows.txt`.

use std::collections::BTreeMap;

/// One thing to do, in both languages.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) vrg: Vec<String>,
    pub(super) esker: Vec<String>,
    pub(super) relation: Relation,
}

/// How what the two ask belongs together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is the same.
    Same,
    /// The same, but vrg also sends the defaults of fields that were not named.
    Less,
    /// It is not the same, for this reason.
    But(String),
    /// The official CLI fails, for this reason, and esker does not.
    Fails(String),
    /// The command says nothing to the system, or nothing that a command of esker says: the reason.
    Apart(String),
}

impl Row {
    /// How it is called in messages.
    pub(super) fn name(&self) -> String {
        self.vrg.join(" ")
    }
}

/// All rows. A row is a few lines, and an empty line ends it.
pub(super) fn read(text: &str) -> Vec<Row> {
    let blocks =
        text.split("\n\n").filter(|block| block.lines().any(|line| !line.starts_with('#') && !line.is_empty()));
    blocks.map(row).collect()
}

fn row(block: &str) -> Row {
    let (mut vrg, mut esker, mut relation) = (Vec::new(), Vec::new(), Relation::Same);
    for line in block.lines().filter(|line| !line.starts_with('#')) {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "vrg" => vrg = words(rest),
            "esker" => esker = words(rest),
            "less" => relation = Relation::Less,
            "but" => relation = Relation::But(rest.to_owned()),
            "fails" => relation = Relation::Fails(rest.to_owned()),
            "apart" => relation = Relation::Apart(rest.to_owned()),
            _ => panic!("what is this line? {line}"),
        }
    }
    let is_apart = matches!(relation, Relation::Apart(_));
    assert!(!vrg.is_empty() && esker.is_empty() == is_apart, "half a row:\n{block}");
    Row { vrg, esker, relation }
}

/// The words of a line, quoted as a shell reads them.
pub(super) fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => {
                if std::mem::take(&mut is_word) {
                    all.push(std::mem::take(&mut word));
                }
            }
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (Some(open), c) if c == open => quote = None,
            (_, c) => {
                word.push(c);
                is_word = true;
            }
        }
    }
    assert_eq!(quote, None, "a quote is open: {line}");
    all.extend(is_word.then_some(word));
    all
}

/// A row of the page: how its command is spelled, and how each of its flags is.
pub(super) struct Spelling {
    pub(super) esker: String,
    pub(super) flags: BTreeMap<String, String>,
}

/// The page that is printed in the manual, by the commands of the official CLI.
pub(super) fn page() -> BTreeMap<String, Spelling> {
    let text = include_str!("../../../src/provider/vergeos/vrg.txt");
    let lines = text.lines().map(|line| {
        let mut parts = line.split(" | ").map(str::trim);
        let (command, esker) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let flags = parts.next().unwrap_or_default().split(" ; ").filter_map(|flag| flag.split_once('='));
        let flags = flags.map(|(flag, how)| (flag.trim().to_owned(), how.to_owned())).collect();
        (command.to_owned(), Spelling { esker: esker.to_owned(), flags })
    });
    lines.collect()
}
