//! What this simulator can do wrong, beside the faults of every server.

use crate::playground::fault::{Kind, Takes};

const fn kind(name: &'static str, takes: Takes, about: &'static str) -> Kind {
    Kind { name, takes, about }
}

/// Its kinds.
pub(super) const KINDS: &[Kind] = &[
    kind("sdk", Takes::Nothing, "answer in the shapes that the SDKs expect and no server has"),
    kind("slow-create", Takes::Seconds(1), "let each stage of a creation take so long"),
    kind("create-fails", Takes::Nothing, "let a creation fail, which only the events say"),
    kind("create-lost", Takes::Nothing, "forget a container that is being created"),
    kind("locked", Takes::Nothing, "answer 423, as for a session whose screen is locked"),
    kind("mfa", Takes::Nothing, "demand a second factor for terminals: the code is 123456"),
    kind("limited", Takes::Seconds(60), "answer 429 with a Retry-After as Go writes durations"),
    kind("split", Takes::Number(1), "send the output of terminals in pieces of at most so many characters"),
    kind("drop", Takes::Number(4096), "cut a terminal after so many bytes of output"),
    kind("lose", Takes::Number(100), "lose a byte of a terminal's output after so many"),
    kind("silent", Takes::Number(0), "send no output of a terminal after so many bytes, and never end"),
    kind("restart-required", Takes::Number(0), "close a terminal with 4100 after so many bytes of output"),
    kind("busy", Takes::Nothing, "send a load and a ping before every output of a terminal"),
    kind("tmux", Takes::Nothing, "start terminals in tmux, if this machine has it"),
    kind("no-stty", Takes::Nothing, "have no stty in new containers"),
    kind("no-base64", Takes::Nothing, "have no base64 in new containers"),
    kind("no-setsid", Takes::Nothing, "have no setsid in new containers"),
    kind("sh-dash", Takes::Nothing, "have dash as /bin/sh of new containers, if this machine has it"),
    kind("sh-bash", Takes::Nothing, "have bash as /bin/sh of new containers, if this machine has it"),
    kind("sh-busybox", Takes::Nothing, "have busybox as /bin/sh of new containers, if this machine has it"),
    kind("sh-zsh", Takes::Nothing, "have zsh as /bin/sh of new containers, if this machine has it"),
    kind("files-cut", Takes::Number(0), "end a download after so many bytes, as after 30 s"),
];
