//! Every list in every format (ux section 4): piped, on a terminal, empty, failing, and over several daemons.

use crate::support::daemon::Daemon;
use crate::support::fake::{Asked, Fake, Reply, refused, sync, unknown};
use crate::support::pty::on_terminal;
use crate::support::shown::{assert_shown, shown, status};
use crate::support::{endpoints, error_of, esker, esker_on, esker_process, peers};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Output;

const FORMATS: [&str; 7] = ["table", "wide", "json", "jsonl", "yaml", "csv", "name"];

const SERVICES: &str = "
services:
  web: {override: replace, command: sleep 1000, startup: enabled}
  worker: {override: replace, command: sleep 1000}
";

/// What a command prints in each format.
fn in_every_format(mut run: impl FnMut(&[&str]) -> Output, args: &[&str]) -> String {
    let mut text = String::new();
    for format in FORMATS {
        let output = run(&[args, &["-o", format]].concat());
        let _ = writeln!(text, "$ {} -o {format}\n{}", args.join(" "), shown(&output));
    }
    text
}

fn piped(daemon: &Daemon) -> impl FnMut(&[&str]) -> Output {
    |args| esker_on(daemon).args(args).output().expect("it runs")
}

fn on(daemon: &Daemon, args: &[&str]) -> Output {
    let output = esker_on(daemon).args(args).output().expect("it runs");
    assert!(output.status.success(), "{args:?}: {}", shown(&output));
    output
}

#[test]
fn services() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", SERVICES)]);
    on(&daemon, &["svc", "start", "web"]);
    assert_shown!(in_every_format(piped(&daemon), &["svc", "list"]), @r#"
    $ svc list -o table
    NAME    STARTUP   STATE     SINCE                 LAST ERROR
    web     enabled   active    [TIME]  -
    worker  disabled  inactive  -                     -
    [exit status: 0]

    $ svc list -o wide
    TARGET  NAME    STARTUP   STATE     SINCE                 LAST ERROR
    pebble  web     enabled   active    [TIME]  -
    pebble  worker  disabled  inactive  -                     -
    [exit status: 0]

    $ svc list -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "web",
        "startup": "enabled",
        "state": "active",
        "since": "[TIME+]",
        "last_error": null
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "worker",
        "startup": "disabled",
        "state": "inactive",
        "since": null,
        "last_error": null
      }
    ]
    [exit status: 0]

    $ svc list -o jsonl
    {"provider":"pebble","target":"pebble","name":"web","startup":"enabled","state":"active","since":"[TIME+]","last_error":null}
    {"provider":"pebble","target":"pebble","name":"worker","startup":"disabled","state":"inactive","since":null,"last_error":null}
    [exit status: 0]

    $ svc list -o yaml
    - provider: pebble
      target: pebble
      name: web
      startup: enabled
      state: active
      since: "[TIME+]"
      last_error: null
    - provider: pebble
      target: pebble
      name: worker
      startup: disabled
      state: inactive
      since: null
      last_error: null
    [exit status: 0]

    $ svc list -o csv
    target,name,startup,state,since,last_error
    pebble,web,enabled,active,[TIME],
    pebble,worker,disabled,inactive,,
    [exit status: 0]

    $ svc list -o name
    web
    worker
    [exit status: 0]
    "#);
}

#[test]
fn checks() {
    if peers::pebble().is_none() {
        return;
    }
    let layer = "
checks:
  bad: {override: replace, level: ready, period: 1h, threshold: 2, exec: {command: sh -c 'echo why; exit 2'}}
  good: {override: replace, level: alive, period: 1h, exec: {command: 'true'}}
  off: {override: replace, startup: disabled, exec: {command: 'true'}}
";
    let daemon = Daemon::options().layers(&[("base", layer)]).start();
    let refreshed = esker_on(&daemon).args(["svc", "check", "refresh", "bad"]).output().expect("it runs");
    assert_shown!(shown(&refreshed), @r#"
    NAME:    bad
    PASSED:  no
    STATUS:  up
    ERROR:   exit status 2; why
    [exit status: 1]
    "#);
    // Which change runs which check is the daemon's chance.
    let args = ["svc", "check", "list", "--fields", "name,level,startup,status,successes,failures,last_error"];
    assert_shown!(in_every_format(piped(&daemon), &args), @r#"
    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o table
    NAME  LEVEL  STARTUP   STATUS    SUCCESSES  FAILURES  LAST ERROR
    bad   ready  enabled   up        0          1/2       exit status 2; why
    good  alive  enabled   up        0          0/3       -
    off   -      disabled  inactive  0          0/3       -
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o wide
    NAME  LEVEL  STARTUP   STATUS    SUCCESSES  FAILURES  LAST ERROR
    bad   ready  enabled   up        0          1/2       exit status 2; why
    good  alive  enabled   up        0          0/3       -
    off   -      disabled  inactive  0          0/3       -
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o json
    [
      {
        "name": "bad",
        "level": "ready",
        "startup": "enabled",
        "status": "up",
        "successes": 0,
        "failures": 1,
        "last_error": "exit status 2; why"
      },
      {
        "name": "good",
        "level": "alive",
        "startup": "enabled",
        "status": "up",
        "successes": 0,
        "failures": 0,
        "last_error": null
      },
      {
        "name": "off",
        "level": null,
        "startup": "disabled",
        "status": "inactive",
        "successes": 0,
        "failures": 0,
        "last_error": null
      }
    ]
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o jsonl
    {"name":"bad","level":"ready","startup":"enabled","status":"up","successes":0,"failures":1,"last_error":"exit status 2; why"}
    {"name":"good","level":"alive","startup":"enabled","status":"up","successes":0,"failures":0,"last_error":null}
    {"name":"off","level":null,"startup":"disabled","status":"inactive","successes":0,"failures":0,"last_error":null}
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o yaml
    - name: bad
      level: ready
      startup: enabled
      status: up
      successes: 0
      failures: 1
      last_error: exit status 2; why
    - name: good
      level: alive
      startup: enabled
      status: up
      successes: 0
      failures: 0
      last_error: null
    - name: "off"
      level: null
      startup: disabled
      status: inactive
      successes: 0
      failures: 0
      last_error: null
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o csv
    name,level,startup,status,successes,failures,last_error
    bad,ready,enabled,up,0,1/2,exit status 2; why
    good,alive,enabled,up,0,0/3,
    off,,disabled,inactive,0,0/3,
    [exit status: 0]

    $ svc check list --fields name,level,startup,status,successes,failures,last_error -o name
    --- stderr
    error: `--fields` does not apply to `-o name`
    hint: use `-o csv --no-header`
    [exit status: 2]
    "#);
}

#[test]
fn changes() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", SERVICES)]);
    on(&daemon, &["svc", "start", "web"]);
    on(&daemon, &["svc", "stop", "web"]);
    assert_shown!(in_every_format(piped(&daemon), &["svc", "change", "list"]), @r#"
    $ svc change list -o table
    ID  KIND   STATUS  STARTED               READY                 SUMMARY
    1   start  Done    [TIME]  [TIME]  Start service "web"
    2   stop   Done    [TIME]  [TIME]  Stop service "web"
    [exit status: 0]

    $ svc change list -o wide
    TARGET  ID  KIND   STATUS  STARTED               READY                 SUMMARY
    pebble  1   start  Done    [TIME]  [TIME]  Start service "web"
    pebble  2   stop   Done    [TIME]  [TIME]  Stop service "web"
    [exit status: 0]

    $ svc change list -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "id": "1",
        "kind": "start",
        "summary": "Start service \"web\"",
        "status": "Done",
        "ready": true,
        "error": null,
        "started_at": "[TIME+]",
        "ready_at": "[TIME+]",
        "tasks": [
          {
            "id": "1",
            "kind": "start",
            "summary": "Start service \"web\"",
            "status": "Done",
            "log": [],
            "started_at": "[TIME+]",
            "ready_at": "[TIME+]",
            "exit_code": null
          }
        ]
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "id": "2",
        "kind": "stop",
        "summary": "Stop service \"web\"",
        "status": "Done",
        "ready": true,
        "error": null,
        "started_at": "[TIME+]",
        "ready_at": "[TIME+]",
        "tasks": [
          {
            "id": "2",
            "kind": "stop",
            "summary": "Stop service \"web\"",
            "status": "Done",
            "log": [],
            "started_at": "[TIME+]",
            "ready_at": "[TIME+]",
            "exit_code": null
          }
        ]
      }
    ]
    [exit status: 0]

    $ svc change list -o jsonl
    {"provider":"pebble","target":"pebble","id":"1","kind":"start","summary":"Start service \"web\"","status":"Done","ready":true,"error":null,"started_at":"[TIME+]","ready_at":"[TIME+]","tasks":[{"id":"1","kind":"start","summary":"Start service \"web\"","status":"Done","log":[],"started_at":"[TIME+]","ready_at":"[TIME+]","exit_code":null}]}
    {"provider":"pebble","target":"pebble","id":"2","kind":"stop","summary":"Stop service \"web\"","status":"Done","ready":true,"error":null,"started_at":"[TIME+]","ready_at":"[TIME+]","tasks":[{"id":"2","kind":"stop","summary":"Stop service \"web\"","status":"Done","log":[],"started_at":"[TIME+]","ready_at":"[TIME+]","exit_code":null}]}
    [exit status: 0]

    $ svc change list -o yaml
    - provider: pebble
      target: pebble
      id: "1"
      kind: start
      summary: "Start service \"web\""
      status: Done
      ready: true
      error: null
      started_at: "[TIME+]"
      ready_at: "[TIME+]"
      tasks:
      - id: "1"
        kind: start
        summary: "Start service \"web\""
        status: Done
        log: []
        started_at: "[TIME+]"
        ready_at: "[TIME+]"
        exit_code: null
    - provider: pebble
      target: pebble
      id: "2"
      kind: stop
      summary: "Stop service \"web\""
      status: Done
      ready: true
      error: null
      started_at: "[TIME+]"
      ready_at: "[TIME+]"
      tasks:
      - id: "2"
        kind: stop
        summary: "Stop service \"web\""
        status: Done
        log: []
        started_at: "[TIME+]"
        ready_at: "[TIME+]"
        exit_code: null
    [exit status: 0]

    $ svc change list -o csv
    target,id,kind,status,started_at,ready_at,summary
    pebble,1,start,Done,[TIME],[TIME],"Start service ""web"""
    pebble,2,stop,Done,[TIME],[TIME],"Stop service ""web"""
    [exit status: 0]

    $ svc change list -o name
    1
    2
    [exit status: 0]
    "#);
}

#[test]
fn notices() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    on(&daemon, &["svc", "notice", "notify", "example.com/a", "state=done", "note=<x> & \"y\""]);
    on(&daemon, &["svc", "notice", "notify", "example.com/b"]);
    // Whose they are depends on who runs the tests.
    let args = ["svc", "notice", "list", "--fields", "id,type,key,last_repeated_at,occurrences,data"];
    assert_shown!(in_every_format(piped(&daemon), &args), @r#"
    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o table
    ID  TYPE    KEY            REPEATED              OCCURRENCES  DATA
    1   custom  example.com/a  [TIME]  1            note=<x> & "y",state=done
    2   custom  example.com/b  [TIME]  1            -
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o wide
    ID  TYPE    KEY            REPEATED              OCCURRENCES  DATA
    1   custom  example.com/a  [TIME]  1            note=<x> & "y",state=done
    2   custom  example.com/b  [TIME]  1            -
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o json
    [
      {
        "id": "1",
        "type": "custom",
        "key": "example.com/a",
        "last_repeated_at": "[TIME+]",
        "occurrences": 1,
        "data": {
          "note": "<x> & \"y\"",
          "state": "done"
        }
      },
      {
        "id": "2",
        "type": "custom",
        "key": "example.com/b",
        "last_repeated_at": "[TIME+]",
        "occurrences": 1,
        "data": {}
      }
    ]
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o jsonl
    {"id":"1","type":"custom","key":"example.com/a","last_repeated_at":"[TIME+]","occurrences":1,"data":{"note":"<x> & \"y\"","state":"done"}}
    {"id":"2","type":"custom","key":"example.com/b","last_repeated_at":"[TIME+]","occurrences":1,"data":{}}
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o yaml
    - id: "1"
      type: custom
      key: example.com/a
      last_repeated_at: "[TIME+]"
      occurrences: 1
      data:
        note: "<x> & \"y\""
        state: done
    - id: "2"
      type: custom
      key: example.com/b
      last_repeated_at: "[TIME+]"
      occurrences: 1
      data: {}
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o csv
    id,type,key,last_repeated_at,occurrences,data
    1,custom,example.com/a,[TIME],1,"note=<x> & ""y"",state=done"
    2,custom,example.com/b,[TIME],1,
    [exit status: 0]

    $ svc notice list --fields id,type,key,last_repeated_at,occurrences,data -o name
    --- stderr
    error: `--fields` does not apply to `-o name`
    hint: use `-o csv --no-header`
    [exit status: 2]
    "#);
}

#[test]
fn identities() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    let document =
        "identities: {bob: {access: read, local: {user-id: 1001}}, on: {access: admin, local: {user-id: 7}}}";
    let added =
        esker_on(&daemon).args(["svc", "identity", "add", "--from", "-"]).write_stdin(document).output().expect("runs");
    assert_shown!(shown(&added), @r#"
    --- stderr
    added identity `bob` on `pebble`
    added identity `on` on `pebble`
    [exit status: 0]
    "#);
    assert_shown!(in_every_format(piped(&daemon), &["svc", "identity", "list"]), @r#"
    $ svc identity list -o table
    NAME  ACCESS  TYPES  USER
    bob   read    local  1001
    on    admin   local  7
    [exit status: 0]

    $ svc identity list -o wide
    TARGET  NAME  ACCESS  TYPES  USER
    pebble  bob   read    local  1001
    pebble  on    admin   local  7
    [exit status: 0]

    $ svc identity list -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "bob",
        "access": "read",
        "types": [
          "local"
        ],
        "user_id": 1001
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "on",
        "access": "admin",
        "types": [
          "local"
        ],
        "user_id": 7
      }
    ]
    [exit status: 0]

    $ svc identity list -o jsonl
    {"provider":"pebble","target":"pebble","name":"bob","access":"read","types":["local"],"user_id":1001}
    {"provider":"pebble","target":"pebble","name":"on","access":"admin","types":["local"],"user_id":7}
    [exit status: 0]

    $ svc identity list -o yaml
    - provider: pebble
      target: pebble
      name: bob
      access: read
      types:
      - local
      user_id: 1001
    - provider: pebble
      target: pebble
      name: "on"
      access: admin
      types:
      - local
      user_id: 7
    [exit status: 0]

    $ svc identity list -o csv
    target,name,access,types,user_id
    pebble,bob,read,local,1001
    pebble,on,admin,local,7
    [exit status: 0]

    $ svc identity list -o name
    bob
    on
    [exit status: 0]
    "#);
}

#[test]
fn metrics() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", SERVICES)]);
    on(&daemon, &["svc", "start", "web"]);
    assert_shown!(in_every_format(piped(&daemon), &["svc", "metrics"]), @r#"
    $ svc metrics -o table
    NAME                        LABELS       VALUE
    pebble_service_active       service=web  1
    pebble_service_start_count  service=web  1
    [exit status: 0]

    $ svc metrics -o wide
    TARGET  NAME                        TYPE     LABELS       VALUE  HELP
    pebble  pebble_service_active       gauge    service=web  1      Whether the service is currently active (1) or not (0)
    pebble  pebble_service_start_count  counter  service=web  1      Number of times the service has started
    [exit status: 0]

    $ svc metrics -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "pebble_service_active",
        "type": "gauge",
        "labels": {
          "service": "web"
        },
        "value": 1.0,
        "help": "Whether the service is currently active (1) or not (0)"
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "pebble_service_start_count",
        "type": "counter",
        "labels": {
          "service": "web"
        },
        "value": 1.0,
        "help": "Number of times the service has started"
      }
    ]
    [exit status: 0]

    $ svc metrics -o jsonl
    {"provider":"pebble","target":"pebble","name":"pebble_service_active","type":"gauge","labels":{"service":"web"},"value":1.0,"help":"Whether the service is currently active (1) or not (0)"}
    {"provider":"pebble","target":"pebble","name":"pebble_service_start_count","type":"counter","labels":{"service":"web"},"value":1.0,"help":"Number of times the service has started"}
    [exit status: 0]

    $ svc metrics -o yaml
    - provider: pebble
      target: pebble
      name: pebble_service_active
      type: gauge
      labels:
        service: web
      value: 1.0
      help: Whether the service is currently active (1) or not (0)
    - provider: pebble
      target: pebble
      name: pebble_service_start_count
      type: counter
      labels:
        service: web
      value: 1.0
      help: Number of times the service has started
    [exit status: 0]

    $ svc metrics -o csv
    target,name,type,labels,value,help
    pebble,pebble_service_active,gauge,service=web,1,Whether the service is currently active (1) or not (0)
    pebble,pebble_service_start_count,counter,service=web,1,Number of times the service has started
    [exit status: 0]

    $ svc metrics -o name
    pebble_service_active
    pebble_service_start_count
    [exit status: 0]
    "#);
}

#[test]
fn logs() {
    if peers::pebble().is_none() {
        return;
    }
    let layer = "
services:
  web:
    override: replace
    command: sh -c 'echo one; echo \"two, <quoted>\"; sleep 1000'
";
    let daemon = Daemon::start(&[("base", layer)]);
    on(&daemon, &["svc", "start", "web"]);
    assert_shown!(in_every_format(piped(&daemon), &["svc", "logs"]), @r#"
    $ svc logs -o table
    [TIME+] [web] one
    [TIME+] [web] two, <quoted>
    [exit status: 0]

    $ svc logs -o wide
    [TIME+] [web] one
    [TIME+] [web] two, <quoted>
    [exit status: 0]

    $ svc logs -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "time": "[TIME+]",
        "service": "web",
        "message": "one"
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "time": "[TIME+]",
        "service": "web",
        "message": "two, <quoted>"
      }
    ]
    [exit status: 0]

    $ svc logs -o jsonl
    {"type":"log","provider":"pebble","target":"pebble","time":"[TIME+]","service":"web","message":"one"}
    {"type":"log","provider":"pebble","target":"pebble","time":"[TIME+]","service":"web","message":"two, <quoted>"}
    [exit status: 0]

    $ svc logs -o yaml
    - provider: pebble
      target: pebble
      time: "[TIME+]"
      service: web
      message: one
    - provider: pebble
      target: pebble
      time: "[TIME+]"
      service: web
      message: "two, <quoted>"
    [exit status: 0]

    $ svc logs -o csv
    target,time,service,message
    pebble,[TIME+],web,one
    pebble,[TIME+],web,"two, <quoted>"
    [exit status: 0]

    $ svc logs -o name
    [TIME+] [web] one
    [TIME+] [web] two, <quoted>
    [exit status: 0]
    "#);
    assert_shown!(shown(&on(&daemon, &["svc", "logs", "web"])), @r#"
    one
    two, <quoted>
    [exit status: 0]
    "#);
    assert_shown!(shown(&on(&daemon, &["svc", "logs", "web", "-n", "1", "--timestamps"])), @r#"
    [TIME+] [web] two, <quoted>
    [exit status: 0]
    "#);
}

#[test]
fn findings() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    let layer = "services:\n  web:\n    override: replace\n    comand: sleep 1\nchecks: {}\n";
    let lint = |args: &[&str]| esker_on(&daemon).args(args).write_stdin(layer).output().expect("it runs");
    assert_shown!(in_every_format(lint, &["svc", "layer", "lint", "-"]), @r#"
    $ svc layer lint - -o table
    WHERE  SEVERITY  MESSAGE
    -:2:3  error     service `web` has no `command`
    -:4:5  error     unknown key `comand` (did you mean `command`?)
    --- stderr
    error: `-` has 2 errors
    [exit status: 8]

    $ svc layer lint - -o wide
    TARGET  WHERE  SEVERITY  PATH                 MESSAGE
    pebble  -:2:3  error     services.web         service `web` has no `command`
    pebble  -:4:5  error     services.web.comand  unknown key `comand` (did you mean `command`?)
    --- stderr
    error: `-` has 2 errors
    [exit status: 8]

    $ svc layer lint - -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "file": "-",
        "line": 2,
        "column": 3,
        "severity": "error",
        "path": "services.web",
        "message": "service `web` has no `command`",
        "suggestion": null
      },
      {
        "provider": "pebble",
        "target": "pebble",
        "file": "-",
        "line": 4,
        "column": 5,
        "severity": "error",
        "path": "services.web.comand",
        "message": "unknown key `comand`",
        "suggestion": "command"
      }
    ]
    --- stderr
    {"error":{"kind":"rejected","message":"`-` has 2 errors","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":8,"status":null,"provider_kind":null,"provider_message":null,"request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 8]

    $ svc layer lint - -o jsonl
    {"provider":"pebble","target":"pebble","file":"-","line":2,"column":3,"severity":"error","path":"services.web","message":"service `web` has no `command`","suggestion":null}
    {"provider":"pebble","target":"pebble","file":"-","line":4,"column":5,"severity":"error","path":"services.web.comand","message":"unknown key `comand`","suggestion":"command"}
    --- stderr
    {"error":{"kind":"rejected","message":"`-` has 2 errors","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":8,"status":null,"provider_kind":null,"provider_message":null,"request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 8]

    $ svc layer lint - -o yaml
    - provider: pebble
      target: pebble
      file: "-"
      line: 2
      column: 3
      severity: error
      path: services.web
      message: service `web` has no `command`
      suggestion: null
    - provider: pebble
      target: pebble
      file: "-"
      line: 4
      column: 5
      severity: error
      path: services.web.comand
      message: unknown key `comand`
      suggestion: command
    --- stderr
    {"error":{"kind":"rejected","message":"`-` has 2 errors","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":8,"status":null,"provider_kind":null,"provider_message":null,"request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 8]

    $ svc layer lint - -o csv
    target,line,severity,path,message
    pebble,-:2:3,error,services.web,service `web` has no `command`
    pebble,-:4:5,error,services.web.comand,unknown key `comand` (did you mean `command`?)
    --- stderr
    error: `-` has 2 errors
    [exit status: 8]

    $ svc layer lint - -o name
    -:2:3
    -:4:5
    --- stderr
    error: `-` has 2 errors
    [exit status: 8]
    "#);
}

/// A daemon whose every answer is known, for what depends on the width of columns or on what daemons seldom say.
fn canned() -> Fake {
    Fake::start(|asked: &Asked| match asked.path.as_str() {
        "/v1/services" => sync(json!([
            {"name": "an-application-server", "startup": "enabled", "current": "active",
             "current-since": "2020-01-02T03:04:05.678901234Z"},
            {"name": "db", "startup": "disabled", "current": "error", "current-since": "2020-01-02T03:04:05Z"},
        ])),
        "/v1/changes" => sync(json!([
            {"id": "7", "kind": "start", "summary": "Start service \"db\"", "status": "Error", "ready": true,
             "spawn-time": "2020-01-02T03:04:05Z", "ready-time": "2020-01-02T03:04:06Z",
             "err": "cannot perform the following tasks:\n- Start service \"db\" (exited quickly with code 1)",
             "tasks": [{"id": "9", "kind": "start", "summary": "Start service \"db\"", "status": "Error",
                "progress": {"label": "", "done": 1, "total": 1}, "spawn-time": "2020-01-02T03:04:05Z",
                "log": ["2020-01-02T03:04:06Z ERROR service start attempt: exited quickly with code 1, will restart"]}]},
        ])),
        "/v1/checks" => sync(json!([{"name": "db", "level": "ready", "startup": "enabled", "status": "down",
            "failures": 12, "threshold": 3, "change-id": "7"}])),
        "/v1/notices" if asked.query.contains("types=warning") => sync(json!([
            {"id": "3", "user-id": null, "type": "warning", "key": "the disk is almost full: it has less than one percent left",
             "first-occurred": "2020-01-02T03:04:05Z", "last-occurred": "2020-01-02T03:04:05Z",
             "last-repeated": "2020-01-02T03:04:05Z", "occurrences": 1, "expire-after": "168h0m0s", "repeat-after": "24h0m0s"},
        ])),
        "/v1/notices" => sync(json!([
            {"id": "4", "user-id": 1000, "type": "custom", "key": "example.com/a-key-that-is-rather-long-for-a-narrow-terminal",
             "first-occurred": "2020-01-02T03:04:05Z", "last-occurred": "2020-01-02T03:04:05Z",
             "last-repeated": "2020-01-02T03:04:05Z", "occurrences": 2, "last-data": {"a": "b"}},
        ])),
        "/v1/identities" => {
            sync(json!({"bob": {"access": "read", "basic": {"password": "*****"}, "local": {"user-id": 7}}}))
        }
        "/v1/metrics" => Reply::Text(
            200,
            "# HELP pebble_service_active Whether the service is active\n# TYPE pebble_service_active gauge\n\
             pebble_service_active{service=\"db\"} 1\n"
                .to_owned(),
        ),
        "/v1/logs" => Reply::Text(
            200,
            "{\"time\":\"2020-01-02T03:04:05.678Z\",\"service\":\"db\",\"message\":\"hello\"}\n".to_owned(),
        ),
        "/v1/changes/7" => refused(404, "cannot find change with id \"7\""),
        _ => unknown(),
    })
}

#[test]
fn warnings() {
    let daemon = canned();
    let run = |args: &[&str]| daemon.esker().args(args).output().expect("it runs");
    assert_shown!(in_every_format(run, &["svc", "warning", "list"]), @r#"
    $ svc warning list -o table
    LAST                  WARNING
    [TIME]  the disk is almost full: it has less than one percent left
    [exit status: 0]

    $ svc warning list -o wide
    TARGET  LAST                  FIRST                 REPEATED              EXPIRES AFTER  WARNING
    pebble  [TIME]  [TIME]  [TIME]  7d             the disk is almost full: it has less than one percent left
    [exit status: 0]

    $ svc warning list -o json
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "message": "the disk is almost full: it has less than one percent left",
        "first_added_at": "[TIME]",
        "last_added_at": "[TIME]",
        "last_shown_at": "[TIME]",
        "expire_after_seconds": 604800.0,
        "repeat_after_seconds": 86400.0
      }
    ]
    [exit status: 0]

    $ svc warning list -o jsonl
    {"provider":"pebble","target":"pebble","message":"the disk is almost full: it has less than one percent left","first_added_at":"[TIME]","last_added_at":"[TIME]","last_shown_at":"[TIME]","expire_after_seconds":604800.0,"repeat_after_seconds":86400.0}
    [exit status: 0]

    $ svc warning list -o yaml
    - provider: pebble
      target: pebble
      message: "the disk is almost full: it has less than one percent left"
      first_added_at: "[TIME]"
      last_added_at: "[TIME]"
      last_shown_at: "[TIME]"
      expire_after_seconds: 604800.0
      repeat_after_seconds: 86400.0
    [exit status: 0]

    $ svc warning list -o csv
    target,last_added_at,first_added_at,last_shown_at,expire_after_seconds,message
    pebble,[TIME],[TIME],[TIME],604800,the disk is almost full: it has less than one percent left
    [exit status: 0]

    $ svc warning list -o name
    the disk is almost full: it has less than one percent left
    [exit status: 0]
    "#);
}

/// Every list on a terminal of this width.
fn every_list_at(columns: u16) -> String {
    let daemon = canned();
    let mut text = String::new();
    for list in ["list", "check list", "change list", "notice list", "identity list", "warning list", "metrics", "logs"]
    {
        for format in ["table", "wide"] {
            let mut command = esker_process();
            command.env("PEBBLE_SOCKET", daemon.socket()).arg("svc").args(list.split(' ')).args(["-o", format]);
            let output = on_terminal(columns, &mut command);
            let _ = writeln!(text, "$ svc {list} -o {format}\n{}", shown(&output));
        }
    }
    text
}

#[test]
fn a_wide_terminal() {
    insta::assert_snapshot!(every_list_at(100), @r#"
    $ svc list -o table
    NAME                   STARTUP   STATE   SINCE       LAST ERROR
    an-application-server  enabled   active  2020-01-02  -
    db                     disabled  error   2020-01-02  exited quickly with code 1
    [exit status: 0]

    $ svc list -o wide
    TARGET  NAME                   STARTUP   STATE   SINCE       LAST ERROR
    pebble  an-application-server  enabled   active  2020-01-02  -
    pebble  db                     disabled  error   2020-01-02  exited quickly with code 1
    [exit status: 0]

    $ svc check list -o table
    NAME  LEVEL  STARTUP  STATUS  SUCCESSES  FAILURES  CHANGE  LAST ERROR
    db    ready  enabled  down    -          12/3      7       -
    [exit status: 0]

    $ svc check list -o wide
    TARGET  NAME  LEVEL  STARTUP  STATUS  SUCCESSES  FAILURES  CHANGE  LAST ERROR
    pebble  db    ready  enabled  down    -          12/3      7       -
    [exit status: 0]

    $ svc change list -o table
    ID  KIND   STATUS  STARTED     READY       SUMMARY
    7   start  Error   2020-01-02  2020-01-02  Start service "db"
    [exit status: 0]

    $ svc change list -o wide
    TARGET  ID  KIND   STATUS  STARTED     READY       SUMMARY
    pebble  7   start  Error   2020-01-02  2020-01-02  Start service "db"
    [exit status: 0]

    $ svc notice list -o table
    ID  USER  TYPE    KEY                                            FIRST       REPEATED    OCCURRENCES
    4   1000  custom  example.com/a-key-that-is-rather-long-for-a-~  2020-01-02  2020-01-02  2
    [exit status: 0]

    $ svc notice list -o wide
    TARGET  ID  USER  TYPE    KEY                              FIRST       REPEATED    OCCURRENCES  DATA
    pebble  4   1000  custom  example.com/a-key-that-is-rath~  2020-01-02  2020-01-02  2            a=b
    [exit status: 0]

    $ svc identity list -o table
    NAME  ACCESS  TYPES        USER
    bob   read    local,basic  7
    [exit status: 0]

    $ svc identity list -o wide
    TARGET  NAME  ACCESS  TYPES        USER
    pebble  bob   read    local,basic  7
    [exit status: 0]

    $ svc warning list -o table
    LAST        WARNING
    2020-01-02  the disk is almost full: it has less than one percent left
    [exit status: 0]

    $ svc warning list -o wide
    TARGET  LAST        FIRST       REPEATED    EXPIRES AFTER  WARNING
    pebble  2020-01-02  2020-01-02  2020-01-02  7d             the disk is almost full: it has less tha~
    [exit status: 0]

    $ svc metrics -o table
    NAME                   LABELS      VALUE
    pebble_service_active  service=db  1
    [exit status: 0]

    $ svc metrics -o wide
    TARGET  NAME                   TYPE   LABELS      VALUE  HELP
    pebble  pebble_service_active  gauge  service=db  1      Whether the service is active
    [exit status: 0]

    $ svc logs -o table
    2020-01-02T03:04:05.678Z [db] hello
    [exit status: 0]

    $ svc logs -o wide
    2020-01-02T03:04:05.678Z [db] hello
    [exit status: 0]
    "#);
}

#[test]
fn a_narrow_terminal() {
    insta::assert_snapshot!(every_list_at(40), @r#"
    $ svc list -o table
    NAME                   STARTUP   STATE   SINCE       LAST ERROR
    an-application-server  enabled   active  2020-01-02  -
    db                     disabled  error   2020-01-02  exited qu~
    [exit status: 0]

    $ svc list -o wide
    TARGET  NAME                   STARTUP   STATE   SINCE       LAST ERROR
    pebble  an-application-server  enabled   active  2020-01-02  -
    pebble  db                     disabled  error   2020-01-02  exited qu~
    [exit status: 0]

    $ svc check list -o table
    NAME  LEVEL  STARTUP  STATUS  SUCCESSES  FAILURES  CHANGE  LAST ERROR
    db    ready  enabled  down    -          12/3      7       -
    [exit status: 0]

    $ svc check list -o wide
    TARGET  NAME  LEVEL  STARTUP  STATUS  SUCCESSES  FAILURES  CHANGE  LAST ERROR
    pebble  db    ready  enabled  down    -          12/3      7       -
    [exit status: 0]

    $ svc change list -o table
    ID  KIND   STATUS  STARTED     READY       SUMMARY
    7   start  Error   2020-01-02  2020-01-02  Start s~
    [exit status: 0]

    $ svc change list -o wide
    TARGET  ID  KIND   STATUS  STARTED     READY       SUMMARY
    pebble  7   start  Error   2020-01-02  2020-01-02  Start s~
    [exit status: 0]

    $ svc notice list -o table
    ID  USER  TYPE    KEY       FIRST       REPEATED    OCCURRENCES
    4   1000  custom  example~  2020-01-02  2020-01-02  2
    [exit status: 0]

    $ svc notice list -o wide
    TARGET  ID  USER  TYPE    KEY       FIRST       REPEATED    OCCURRENCES  DATA
    pebble  4   1000  custom  example~  2020-01-02  2020-01-02  2            a=b
    [exit status: 0]

    $ svc identity list -o table
    NAME  ACCESS  TYPES        USER
    bob   read    local,basic  7
    [exit status: 0]

    $ svc identity list -o wide
    TARGET  NAME  ACCESS  TYPES        USER
    pebble  bob   read    local,basic  7
    [exit status: 0]

    $ svc warning list -o table
    LAST        WARNING
    2020-01-02  the disk is almost full: it~
    [exit status: 0]

    $ svc warning list -o wide
    TARGET  LAST        FIRST       REPEATED    EXPIRES AFTER  WARNING
    pebble  2020-01-02  2020-01-02  2020-01-02  7d             the dis~
    [exit status: 0]

    $ svc metrics -o table
    NAME                   LABELS      VALUE
    pebble_service_active  service=db  1
    [exit status: 0]

    $ svc metrics -o wide
    TARGET  NAME                   TYPE   LABELS      VALUE  HELP
    pebble  pebble_service_active  gauge  service=db  1      Whether~
    [exit status: 0]

    $ svc logs -o table
    2020-01-02T03:04:05.678Z [db] hello
    [exit status: 0]

    $ svc logs -o wide
    2020-01-02T03:04:05.678Z [db] hello
    [exit status: 0]
    "#);
}

#[test]
fn machine_formats_are_the_same_on_a_terminal() {
    let daemon = canned();
    for format in ["json", "jsonl", "yaml", "csv", "name"] {
        for list in ["list", "check list", "change list", "identity list", "warning list", "metrics"] {
            let args = ["svc"].into_iter().chain(list.split(' ')).chain(["-o", format]);
            let mut command = esker_process();
            let shown = on_terminal(40, command.env("PEBBLE_SOCKET", daemon.socket()).args(args.clone()));
            let piped = daemon.esker().args(args).output().expect("it runs");
            assert_eq!(
                String::from_utf8_lossy(&shown.stdout),
                String::from_utf8_lossy(&piped.stdout),
                "{list} {format}"
            );
        }
    }
}

#[test]
fn an_empty_list_is_said_beside_it() {
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/identities" => sync(json!({})),
        "/v1/metrics" | "/v1/logs" => Reply::Text(200, String::new()),
        _ => sync(json!([])),
    });
    let mut text = String::new();
    for list in ["list", "check list", "change list", "notice list", "identity list", "warning list", "metrics", "logs"]
    {
        let mut each = Vec::new();
        for format in FORMATS {
            let output =
                daemon.esker().arg("svc").args(list.split(' ')).args(["-o", format]).output().expect("it runs");
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            each.push((format, stdout, shown(&output)));
        }
        for (format, stdout, shown) in &each {
            match *format {
                "json" | "yaml" => assert_eq!(stdout.trim_end(), "[]", "{list}: {shown}"),
                "jsonl" | "name" | "table" | "wide" => assert_eq!(stdout, "", "{list}: {shown}"),
                _ => assert_eq!(stdout.lines().count(), 1, "{list} {format} has a header and no rows: {shown}"),
            }
        }
        let _ = writeln!(text, "$ svc {list}\n{}", each[0].2);
    }
    assert_shown!(text, @r#"
    $ svc list
    --- stderr
    no services
    [exit status: 0]

    $ svc check list
    --- stderr
    no checks
    [exit status: 0]

    $ svc change list
    --- stderr
    no changes
    [exit status: 0]

    $ svc notice list
    --- stderr
    no notices
    [exit status: 0]

    $ svc identity list
    --- stderr
    no identities
    [exit status: 0]

    $ svc warning list
    --- stderr
    no warnings
    [exit status: 0]

    $ svc metrics
    --- stderr
    no metrics
    [exit status: 0]

    $ svc logs
    [exit status: 0]
    "#);
}

#[test]
fn an_error_is_on_stderr_alone() {
    let daemon = Fake::start(|_| refused(500, "the state is locked"));
    let run = |args: &[&str]| daemon.esker().args(args).output().expect("it runs");
    assert_shown!(in_every_format(run, &["svc", "list"]), @r#"
    $ svc list -o table
    --- stderr
    error: cannot list services on `pebble`: the state is locked
    [exit status: 1]

    $ svc list -o wide
    --- stderr
    error: cannot list services on `pebble`: the state is locked
    [exit status: 1]

    $ svc list -o json
    --- stderr
    {"error":{"kind":"failure","message":"cannot list services on `pebble`: the state is locked","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":1,"status":500,"provider_kind":null,"provider_message":"the state is locked","request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 1]

    $ svc list -o jsonl
    --- stderr
    {"error":{"kind":"failure","message":"cannot list services on `pebble`: the state is locked","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":1,"status":500,"provider_kind":null,"provider_message":"the state is locked","request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 1]

    $ svc list -o yaml
    --- stderr
    {"error":{"kind":"failure","message":"cannot list services on `pebble`: the state is locked","hint":null,"causes":[],"provider":"pebble","target":"pebble","exit_code":1,"status":500,"provider_kind":null,"provider_message":"the state is locked","request_id":null,"operation_id":null,"log":[],"items":[]}}
    [exit status: 1]

    $ svc list -o csv
    --- stderr
    error: cannot list services on `pebble`: the state is locked
    [exit status: 1]

    $ svc list -o name
    --- stderr
    error: cannot list services on `pebble`: the state is locked
    [exit status: 1]
    "#);
}

#[test]
fn fields_order_limit_and_header() {
    let daemon = canned();
    let run = |args: &[&str]| shown(&daemon.esker().args(args).output().expect("it runs"));
    assert_shown!(run(&["svc", "list", "--fields", "state,name"]), @r#"
    STATE   NAME
    active  an-application-server
    error   db
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "list", "--fields", "state,name", "-o", "jsonl"]), @r#"
    {"state":"active","name":"an-application-server"}
    {"state":"error","name":"db"}
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "list", "--fields", "state,name", "-o", "csv"]), @r#"
    state,name
    active,an-application-server
    error,db
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "list", "--fields", "stat"]), @r#"
    --- stderr
    error: no field `stat` for `--fields`
    hint: did you mean `state`? the fields are target, provider, name, startup, state, since, last_error
    [exit status: 2]
    "#);
    assert_shown!(run(&["svc", "list", "--sort", "name:desc", "--fields", "name", "--no-header"]), @r#"
    db
    an-application-server
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "list", "--sort", "nome"]), @r#"
    --- stderr
    error: no field `nome` for `--sort`
    hint: did you mean `name`? the fields are target, provider, name, startup, state, since, last_error
    [exit status: 2]
    "#);
    assert_shown!(run(&["svc", "list", "--limit", "1", "-o", "name"]), @r#"
    an-application-server
    --- stderr
    note: showing 1 of 2 services (`--limit`)
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "list", "--state", "error", "-o", "name"]), @r#"
    db
    [exit status: 0]
    "#);
}

#[test]
fn names_that_nobody_knows_are_reported_after_those_that_exist() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", SERVICES)]);
    let run = |args: &[&str]| shown(&esker_on(&daemon).args(args).output().expect("it runs"));
    assert_shown!(run(&["svc", "list", "wbe"]), @r#"
    --- stderr
    error: no service `wbe` on `pebble`
    hint: did you mean `web`?
    [exit status: 6]
    "#);
    assert_shown!(run(&["svc", "list", "web", "wbe"]), @r#"
    NAME  STARTUP  STATE     SINCE  LAST ERROR
    web   enabled  inactive  -      -
    --- stderr
    error: no service `wbe` on `pebble`
    hint: did you mean `web`?
    error: 1 of 2 services failed
    [exit status: 12]
    "#);
    assert_shown!(run(&["svc", "list", "web", "--state", "active"]), @r#"
    --- stderr
    no services
    [exit status: 0]
    "#);
    assert_shown!(run(&["svc", "check", "list", "nope"]), @r#"
    --- stderr
    error: no check `nope` on `pebble`
    hint: `esker svc check list` shows all
    [exit status: 6]
    "#);
    assert_shown!(run(&["svc", "show", "wbe"]), @r#"
    --- stderr
    error: no service `wbe` on `pebble`
    hint: did you mean `web`? see `esker svc list --target pebble`
    [exit status: 6]
    "#);
}

#[test]
fn several_daemons_are_one_list() {
    let daemons = [canned(), canned(), canned()];
    let config = endpoints(&[
        ("one", daemons[0].socket()),
        ("two", daemons[1].socket()),
        ("three", daemons[2].socket()),
        ("gone", "/nonexistent/socket".into()),
    ]);
    let run = |args: &[&str]| esker().args(&config).args(args).output().expect("it runs");
    let two = ["svc", "list", "--target", "two", "--target", "one", "--fields", "target,name"];
    assert_shown!(shown(&run(&two)), @r#"
    TARGET  NAME
    two     an-application-server
    two     db
    one     an-application-server
    one     db
    [exit status: 0]
    "#);
    assert_shown!(shown(&run(&["svc", "list", "--target", "t*", "--limit", "3"])), @r#"
    TARGET  NAME                   STARTUP   STATE   SINCE                 LAST ERROR
    three   an-application-server  enabled   active  [TIME]  -
    three   db                     disabled  error   [TIME]  exited quickly with code 1
    two     an-application-server  enabled   active  [TIME]  -
    --- stderr
    note: showing 3 of 4 services (`--limit`)
    [exit status: 0]
    "#);
    let output = run(&["svc", "list", "--target", "*", "-o", "json"]);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("an array");
    let mut targets: Vec<&str> = rows.iter().filter_map(|row| row["target"].as_str()).collect();
    targets.dedup();
    assert_eq!((rows.len(), targets), (6, vec!["one", "three", "two"]), "in the order of their names");
    let error = error_of(&output);
    assert_eq!((status(&output).as_str(), &error["kind"]), ("12", &json!("partial")));
    assert_eq!((&error["items"][0]["kind"], &error["items"][0]["target"]), (&json!("unreachable"), &json!("gone")));
}

#[test]
fn every_daemon_that_is_gone_is_named_and_alone_decides_the_code() {
    let config = endpoints(&[("a", "/nonexistent/a".into()), ("b", "/nonexistent/b".into())]);
    let output = esker().args(&config).args(["svc", "list", "--target", "a", "--target", "b"]).output().expect("runs");
    assert_shown!(shown(&output), @r#"
    --- stderr
    error: cannot list services on `a`: no socket at `/nonexistent/a`
    hint: is the daemon running there? the path comes from [DIR]/endpoints.yaml:2, or name another with --target unix:/PATH
    error: cannot list services on `b`: no socket at `/nonexistent/b`
    hint: is the daemon running there? the path comes from [DIR]/endpoints.yaml:3, or name another with --target unix:/PATH
    error: 2 of 2 targets failed
    [exit status: 10]
    "#);
    let output = esker().args(&config).args(["svc", "list", "--target", "a", "-o", "json"]).output().expect("runs");
    assert_eq!((status(&output).as_str(), output.stdout.len()), ("10", 0));
}

#[test]
fn a_target_by_short_name_by_socket_and_all_of_them() {
    let daemon = canned();
    let path = crate::support::home().join("short.yaml");
    let text = format!(
        "endpoints: {{one: {{provider: pebble, socket: {}}}}}\ntargets: {{main: one}}\n",
        daemon.socket().display()
    );
    std::fs::write(&path, text).expect("a config file");
    let targets = |args: &[&str]| {
        let output = esker().arg("--config").arg(&path).args(["svc", "list", "-o", "jsonl"]).args(args).output();
        let output = output.expect("it runs");
        let mut targets: Vec<String> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["target"].as_str().expect("text").to_owned())
            .collect();
        targets.dedup();
        (status(&output), targets)
    };
    assert_eq!(targets(&["--target", "main"]), ("0".into(), vec!["one".to_owned()]), "the full form is printed");
    let unix = format!("unix:{}", daemon.socket().display());
    let (code, printed) = targets(&["--target", &unix]);
    assert_eq!((code.as_str(), printed.len()), ("0", 1));
    assert_eq!(targets(&["--target", &printed[0]]), (code, printed), "what is printed resolves back");
    assert!(targets(&["--all"]).1.contains(&"one".to_owned()));
}
