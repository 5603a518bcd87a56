//! The binary against the simulator, over TLS with its own certificate.

use super::{json_of, stderr, stdout};
use crate::support::home;
use crate::support::playground::Playground;
use serde_json::json;
use std::process::Output;

pub(super) struct Lab(Playground);

impl Lab {
    pub(super) fn start() -> Self {
        Self(Playground::start("vergeos", &["VERGE_HOST", "VERGE_USERNAME", "VERGE_PASSWORD", "VERGE_CA_FILE"]))
    }

    pub(super) fn esker(&self) -> assert_cmd::Command {
        self.0.esker()
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        self.0.esker().args(args).output().expect("esker runs")
    }

    pub(super) fn ok(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        output
    }
}

const HERE: [&str; 2] = ["--target", "vergeos"];
/// The tables of the platform that the simulator does not have: its clients know nothing of them either.
const ABSENT: [&str; 8] = [
    "vnet_rule_aliases",
    "vnet_bonds",
    "user_logs",
    "files_public_links",
    "site_logs",
    "task_logs",
    "schedule_tasks",
    "smtp_settings",
];

#[test]
fn the_life_of_a_machine() {
    let lab = Lab::start();
    lab.ok(&[
        &["vm", "network", "create", "Internal", "--set", "type=internal", "--set", "network=10.1.0.0/24"],
        &HERE[..],
    ]
    .concat());
    let made = json_of(&lab.ok(&[
        "vm",
        "create",
        "vergeos/web",
        "--cpus",
        "2",
        "--memory",
        "1000MiB",
        "--disk",
        "10GiB",
        "-o",
        "json",
    ]));
    assert_eq!((&made["target"], &made["memory_bytes"]), (&json!("vergeos/web"), &json!(1_073_741_824_u64)));
    lab.ok(&["vm", "nic", "create", "eth0", "--set", "vnet=Internal", "--target", "vergeos/web"]);
    let shown = json_of(&lab.ok(&["vm", "show", "vergeos/web", "-o", "json"]));
    assert_eq!(shown["extra"]["drives"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown["extra"]["nics"][0]["network"], "Internal");
    let started = json_of(&lab.ok(&["vm", "start", "vergeos/web", "-o", "json"]));
    assert_eq!(started["status"], "running");
    assert_eq!(lab.run(&["vm", "delete", "vergeos/web", "--confirm", "vergeos/web"]).status.code(), Some(7));
    lab.ok(&["vm", "restart", "vergeos/web", "--force-after", "20s"]);
    let stopped = json_of(&lab.ok(&["vm", "stop", "vergeos/web", "-o", "json"]));
    assert_eq!(stopped["status"], "stopped");
    lab.ok(&["vm", "update", "vergeos/web", "--set", "description=mine", "--set", "ram=2GiB"]);
    lab.ok(&["checkpoint", "create", "--comment", "before", "--expires", "1d", "--target", "vergeos/web"]);
    lab.ok(&["checkpoint", "restore", "before", "--target", "vergeos/web", "--confirm", "vergeos/web"]);
    lab.ok(&["checkpoint", "restore", "before", "--target", "vergeos/web", "--to", "copy"]);
    lab.ok(&["vm", "clone", "vergeos/web", "--name", "it's {a} \\copy"]);
    let names = stdout(&lab.ok(&[
        "vm",
        "resource",
        "vms",
        "show",
        "it's {a} \\copy",
        "-o",
        "csv",
        "--fields",
        "name",
        "--target",
        "vergeos",
    ]));
    assert_eq!(names, "name\nit's {a} \\copy\n");
    lab.ok(&["vm", "delete", "vergeos/copy", "--confirm", "vergeos/copy"]);
    assert_eq!(lab.run(&["vm", "show", "vergeos/copy"]).status.code(), Some(6));
}

#[test]
fn templates_are_applied_once() {
    let lab = Lab::start();
    lab.ok(&[
        &["vm", "network", "create", "Internal", "--set", "type=internal", "--set", "network=10.1.0.0/24"],
        &HERE[..],
    ]
    .concat());
    let file = home().join("web.vrg.yaml");
    let text = "apiVersion: v4\nkind: VirtualMachine\nvm:\n  name: web\n  os_family: linux\n  ram: 1GB\n  cpu_cores: 1\n  \
                drives: [{name: os, size: 2GB, media: disk}]\n  nics: [{name: eth0, network: Internal}]\n";
    std::fs::write(&file, text).unwrap();
    let apply =
        |args: &[&str]| lab.ok(&[&["vm", "apply", file.to_str().unwrap(), "--target", "vergeos"], args].concat());
    assert!(stdout(&apply(&["--dry-run"])).starts_with("create vergeos/web\n"));
    assert_eq!(lab.run(&["vm", "show", "vergeos/web"]).status.code(), Some(6));
    assert_eq!(stderr(&apply(&[])), "created `vergeos/web`\n");
    assert_eq!(stderr(&apply(&[])), "nothing to do: `vergeos/web` is as described\n");
    let plan = stdout(&apply(&["--set", "vm.ram=2GB", "--dry-run"]));
    assert!(plan.contains("~ ram: 1024 -> 2048"), "{plan}");
    lab.ok(&["vm", "apply", file.to_str().unwrap(), "--set", "vm.ram=2GB", "--target", "vergeos"]);
    let exported = stdout(&lab.ok(&["vm", "export-template", "vergeos/web"]));
    assert!(exported.contains("kind: VirtualMachine") && exported.contains("ram: 2048"), "{exported}");
    std::fs::write(&file, exported).unwrap();
    let output = lab.ok(&["vm", "apply", file.to_str().unwrap(), "--dry-run", "--target", "vergeos", "-o", "json"]);
    assert_eq!(json_of(&output)[0]["differences"], json!([]), "{output:?}");
}

#[test]
fn the_catalog_the_doctor_and_the_tables() {
    let lab = Lab::start();
    let here = home().join("in.iso");
    let content: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&here, &content).unwrap();
    lab.ok(&["files", "cp", here.to_str().unwrap(), "vergeos:/a b#.iso"]);
    let back = home().join("out.iso");
    lab.ok(&["files", "cp", "vergeos:/a b#.iso", back.to_str().unwrap()]);
    assert_eq!(std::fs::read(&back).unwrap(), content);
    lab.ok(&["files", "rm", "vergeos:/a b#.iso", "--yes"]);
    let checks = lab.run(&["doctor", "--target", "vergeos", "-o", "json"]);
    let checks: serde_json::Value = serde_json::from_slice(&checks.stdout).unwrap();
    let checks = checks.as_array().unwrap();
    assert!(checks.iter().any(|check| check["check"] == "alarms"), "{checks:?}");
    // Every table that has rows of its own can be listed.
    let mut failed = Vec::new();
    for table in json_of(&lab.ok(&["vm", "resource", "list", "--target", "vergeos", "-o", "json"])).as_array().unwrap()
    {
        let name = table["table"].as_str().unwrap();
        let output = lab.run(&["vm", "resource", name, "list", "--limit", "3", "--target", "vergeos", "-o", "json"]);
        if !output.status.success() {
            failed.push(name.to_owned());
        }
    }
    assert_eq!(failed, ABSENT, "tables that cannot be listed");
}

#[test]
fn sessions_begin_and_end() {
    let lab = Lab::start();
    let password = lab.0.variables()["VERGE_PASSWORD"].clone();
    let url = format!("url=https://{}", lab.0.variables()["VERGE_HOST"]);
    let ca_file = format!("ca_file={}", lab.0.variables()["VERGE_CA_FILE"]);
    lab.ok(&[
        "endpoint",
        "add",
        "lab",
        "--provider",
        "vergeos",
        "--set",
        &url,
        "--set",
        &ca_file,
        "--set",
        "username=admin",
    ]);
    let mut login = lab.0.esker();
    let output = login
        .args(["endpoint", "login", "lab", "--session", "--password-stdin"])
        .write_stdin(password.clone())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let stored = std::fs::read_to_string(home().join("state/esker/logins/lab.json")).unwrap();
    assert!(stored.contains("session") && !stored.contains(&password), "the password is kept");
    lab.ok(&["vm", "list", "lab"]);
    lab.ok(&["endpoint", "logout", "lab"]);
    assert_eq!(lab.run(&["vm", "list", "lab"]).status.code(), Some(4));
}
