//! Images: the server knows short keys; what is written like a reference is mapped, or goes as a custom one (3.1).

/// References that stand for a key of the server.
const KNOWN: &[(&str, &str)] = &[
    ("ubuntu:24.04", "ubuntu"),
    ("ubuntu:22.04", "ubuntu-22"),
    ("ubuntu:20.04", "ubuntu-20"),
    ("debian:12", "debian-12"),
    ("debian:11", "debian-11"),
    ("alpine:3.21", "alpine"),
    ("alpine:3.20", "alpine-3.20"),
    ("alpine:3.18", "alpine-3.18"),
    ("fedora:41", "fedora"),
    ("fedora:40", "fedora-40"),
    ("rockylinux:9", "rocky"),
    ("almalinux:9", "alma"),
    ("archlinux:latest", "archlinux"),
    ("amazonlinux:2023", "amazonlinux"),
    ("busybox:1.37", "busybox"),
];

/// The image of a container that names none.
pub(super) const DEFAULT: &str = "ubuntu";

/// The key that an image has, and the reference that goes with the key `custom`.
pub(super) fn key(image: &str) -> (&str, Option<&str>) {
    if let Some((_, key)) = KNOWN.iter().find(|(reference, _)| *reference == image) {
        return (key, None);
    }
    let reference = image.strip_prefix("custom:").unwrap_or(image);
    if image.contains([':', '/']) { ("custom", Some(reference)) } else { (image, None) }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn references_are_mapped_or_custom() {
        assert_eq!(key("ubuntu:24.04"), ("ubuntu", None));
        assert_eq!(key("debian-12"), ("debian-12", None));
        assert_eq!(key("ghcr.io/a/b"), ("custom", Some("ghcr.io/a/b")));
        assert_eq!(key("alpine:3.5"), ("custom", Some("alpine:3.5")));
        assert_eq!(key("custom:alpine:3.5"), ("custom", Some("alpine:3.5")));
    }
}
