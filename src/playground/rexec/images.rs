//! The images that the server knows by key, and the shells that come with them.

use serde_json::{Value, json};
use std::path::Path;

/// Keys, in the order of the server (section 3.1).
pub(super) const KEYS: &[&str] = &[
    "ubuntu",
    "ubuntu-24",
    "ubuntu-22",
    "ubuntu-20",
    "debian",
    "debian-12",
    "debian-11",
    "kali",
    "parrot",
    "mint",
    "elementary",
    "devuan",
    "fedora",
    "fedora-40",
    "fedora-39",
    "centos",
    "centos-stream",
    "rocky",
    "rocky-8",
    "alma",
    "alma-8",
    "oracle",
    "rhel",
    "archlinux",
    "manjaro",
    "opensuse",
    "tumbleweed",
    "gentoo",
    "void",
    "nixos",
    "slackware",
    "alpine",
    "alpine-3.20",
    "alpine-3.18",
    "busybox",
    "tinycore",
    "openwrt",
    "amazonlinux",
    "amazonlinux2",
    "oracle-slim",
    "azurelinux",
    "photon",
];

/// The shells of an image: what `/bin/sh` is, and what terminals are started with. Those of this machine stand for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shells {
    /// What `/bin/sh` is.
    pub(super) sh: &'static str,
    /// What a terminal starts, unless it is `sh` too.
    pub(super) login: Option<&'static str>,
}

impl Shells {
    /// Those of an image.
    pub(super) fn of(image: &str) -> Self {
        let image = image.strip_prefix("custom:").unwrap_or(image);
        let is = |names: &[&str]| names.iter().any(|name| image.starts_with(name));
        if is(&["alpine", "busybox", "tinycore", "openwrt"]) {
            Self { sh: "busybox", login: None }
        } else if is(&["fedora", "centos", "rocky", "alma", "oracle", "rhel", "arch", "manjaro", "opensuse", "amazon"])
        {
            Self { sh: "bash", login: Some("bash") }
        } else if is(&["kali", "parrot"]) {
            Self { sh: "dash", login: Some("zsh") }
        } else {
            Self { sh: "dash", login: Some("bash") }
        }
    }
}

/// Where a program of this machine is.
pub(super) fn program(name: &str) -> Option<String> {
    let places = ["/usr/bin", "/bin", "/usr/local/bin"].map(|dir| format!("{dir}/{name}"));
    places.into_iter().find(|path| Path::new(path).exists())
}

/// `GET /api/images`.
pub(super) fn list() -> Value {
    let images: Vec<Value> = KEYS
        .iter()
        .map(|key| {
            json!({ "name": key, "display_name": key, "description": "", "category": "linux", "tags": [], "popular": *key == "ubuntu" })
        })
        .collect();
    json!({ "images": images, "categories": { "linux": images }, "popular": ["ubuntu"] })
}
