//! Layers, good and bad, and what is found in each: checked here without a daemon, and by the tests of the crate
//! against the real one, which must refuse exactly those with errors.

/// The plan that every case is added to.
pub(super) const PLAN: &str = "\
services:
    base: {override: replace, command: sleep 1, environment: {A: '1'}, before: [other]}
    other: {override: replace, command: sleep 2}
checks:
    off: {override: replace, startup: disabled, exec: {command: 'true'}}
    up: {override: replace, startup: disabled, http: {url: 'http://localhost/'}}
log-targets:
    logs: {override: replace, type: syslog, location: 'udp://localhost:1', services: [base], labels: {a: b}}
workloads:
    job: {override: replace, environment: {A: b}}
";

/// What a case is about, the layer, and its findings: `E` or `W`, line and column, and how the message starts.
pub(super) const CASES: &[(&str, &str, &[&str])] = &[
    ("empty", "", &["W 1:1 : the layer is empty"]),
    ("only a comment", "# nothing\n", &["W 1:1 : the layer is empty"]),
    ("null", "~\n", &["W 1:1 : the layer is empty"]),
    ("an empty mapping", "{}\n", &[]),
    (
        "empty sections",
        "services:\nchecks: ~\nlog-targets: {}\n",
        &["E 1:1 services: `services` has no value, which the daemon refuses: leave it out"],
    ),
    ("text and nothing else", "hello\n", &["E 1:1 : a mapping is needed here, not a single value"]),
    ("a list", "- a\n", &["E 1:1 : a mapping is needed here, not a list"]),
    ("summary and description", "summary: s\ndescription: |\n  a\n  b\nservices: {}\n", &[]),
    ("a summary that is a list", "summary: [a]\n", &["E 1:10 summary: text is needed here, not a list"]),
    (
        "unknown sections",
        "service: {}\nfoo: 1\n",
        &["E 1:1 service: unknown section `service` -> services", "E 2:1 foo: unknown section `foo`"],
    ),
    ("a minimal service", "services:\n  web:\n    override: replace\n    command: sleep 1000\n", &[]),
    (
        "all keys of a service",
        "services:\n  web:\n    summary: S\n    description: \"a\\nb\\n\"\n    startup: enabled\n    override: replace\n    command: \"sleep [ 10 ]\"\n    after: [base]\n    before: [other]\n    requires: [base]\n    environment: {A: 1, B: yes, C: \"x y\", D: }\n    user-id: 0\n    group-id: 0\n    working-dir: /\n    on-success: ignore\n    on-failure: shutdown\n    on-check-failure: {up: restart, off: \"\"}\n    backoff-delay: 1500ms\n    backoff-factor: 1.5\n    backoff-limit: 1h\n    kill-delay: 0\n",
        &[],
    ),
    (
        "several problems at once",
        "services:\n  web:\n    comand: sleep 1\n    startup: banana\n    kill-delay: 5\n    on-failure: restrat\n",
        &[
            "E 2:3 services.web: service `web` has no `command`",
            "E 2:3 services.web: service `web` must say `override: replace` or `override: merge`",
            "E 3:5 services.web.comand: unknown key `comand` -> command",
            "W 4:14 services.web.startup: `banana` is none of `enabled`, `disabled`",
            "E 5:17 services.web.kill-delay: `5` is no duration such as `300ms`, `1.5s` or `1m30s` -> 5s",
            "E 6:17 services.web.on-failure: `restrat` is none of `restart`, `shutdown`, `success-shutdown`, `ignore` -> restart",
        ],
    ),
    (
        "a service without command",
        "services: {web: {override: replace}}\n",
        &["E 1:12 services.web: service `web` has no `command`"],
    ),
    (
        "a merge onto nothing without command",
        "services: {web: {override: merge, summary: x}}\n",
        &["E 1:12 services.web: service `web` has no `command`"],
    ),
    (
        "a merge onto a service",
        "services: {base: {override: merge, summary: x, requires: [other], environment: {B: \"2\"}}}\n",
        &[],
    ),
    (
        "a merge that empties",
        "services: {base: {override: merge, command: \"\", summary: ~}}\n",
        &[
            "W 1:45 services.base.command: an empty value changes nothing: merging cannot unset",
            "W 1:49 services.base.summary: an empty value changes nothing: merging cannot unset",
        ],
    ),
    (
        "a replacement without command",
        "services: {base: {override: replace, summary: x}}\n",
        &["E 1:12 services.base: service `base` has no `command`"],
    ),
    (
        "no override",
        "services: {web: {command: x}}\n",
        &["E 1:12 services.web: service `web` must say `override: replace` or `override: merge`"],
    ),
    (
        "an empty override",
        "services: {web: {override: \"\", command: x}}\n",
        &["E 1:28 services.web.override: service `web` must say `override: replace` or `override: merge`"],
    ),
    (
        "a bad override",
        "services: {web: {override: replce, command: x}}\n",
        &["E 1:28 services.web.override: `replce` is none of `merge`, `replace` -> replace"],
    ),
    ("a null service", "services:\n  web:\n", &["E 2:3 services.web: service `web` cannot be null"]),
    (
        "a service that is text",
        "services: {web: sleep}\n",
        &["E 1:17 services.web: a mapping is needed here, not a single value"],
    ),
    ("services as a list", "services: [web]\n", &["E 1:11 services: a mapping is needed here, not a list"]),
    (
        "a reserved name",
        "services: {pebble: {override: replace, command: x}}\n",
        &["E 1:12 services.pebble: a service cannot be called `pebble`"],
    ),
    (
        "a dash in front",
        "services: {-web: {override: replace, command: x}}\n",
        &["E 1:12 services.-web: the name of a service cannot start with `-`"],
    ),
    (
        "an empty name",
        "services: {\"\": {override: replace, command: x}}\n",
        &["E 1:12 services.: a service needs a name"],
    ),
    (
        "a deprecated name",
        "services: {all: {override: replace, command: x}}\n",
        &["W 1:12 services.all: `all` as the name of a service is deprecated: it has a meaning of its own"],
    ),
    ("a number as name", "services: {8080: {override: replace, command: x}}\n", &[]),
    (
        "a null name",
        "services: {~: {override: bogus}, web: {override: replace, command: x}}\n",
        &["W 1:12 services: a key that is null is ignored"],
    ),
    (
        "a mapping as name",
        "services: {{a: b}: {override: replace, command: x}}\n",
        &["E 1:12 services: a key must be text, not a mapping"],
    ),
    (
        "an open quote",
        "services: {web: {override: replace, command: \"sh -c 'x\"}}\n",
        &["E 1:46 services.web.command: cannot split this command into words: a single quote is not closed"],
    ),
    (
        "an open end",
        "services: {web: {override: replace, command: 'x \\'}}\n",
        &["E 1:46 services.web.command: cannot split this command into words: nothing follows the last backslash"],
    ),
    (
        "a group first",
        "services: {web: {override: replace, command: \"[ a ]\"}}\n",
        &["E 1:46 services.web.command: cannot use this command: it cannot start with a `[ … ]` group"],
    ),
    (
        "a group in a group",
        "services: {web: {override: replace, command: \"x [ a [ b ] ]\"}}\n",
        &["E 1:46 services.web.command: cannot use this command: a `[ … ]` group cannot hold another one"],
    ),
    (
        "a group in the middle",
        "services: {web: {override: replace, command: \"x [ a ] b\"}}\n",
        &["E 1:46 services.web.command: cannot use this command: nothing can follow the `[ … ]` group"],
    ),
    (
        "a shell's operator",
        "services: {web: {override: replace, command: \"a && b\"}}\n",
        &["W 1:46 services.web.command: `&&` is an argument here, since no shell reads this command -> sh -c 'a && b'"],
    ),
    (
        "a command of comments",
        "services: {web: {override: replace, command: \"# x\"}}\n",
        &["W 1:46 services.web.command: there is no word in this command: it will not start"],
    ),
    (
        "a duration without unit",
        "services: {web: {override: replace, command: x, backoff-limit: 30}}\n",
        &["E 1:64 services.web.backoff-limit: `30` is no duration such as `300ms`, `1.5s` or `1m30s` -> 30s"],
    ),
    (
        "a duration that is a list",
        "services: {web: {override: replace, command: x, backoff-limit: [1s]}}\n",
        &["E 1:64 services.web.backoff-limit: a duration is needed here, not a list"],
    ),
    (
        "a negative duration",
        "services: {web: {override: replace, command: x, kill-delay: -1s}}\n",
        &["W 1:61 services.web.kill-delay: a negative duration is over before it starts"],
    ),
    (
        "a null duration",
        "services: {web: {override: replace, command: x, kill-delay: }}\n",
        &["E 1:59 services.web.kill-delay: `` is no duration such as `300ms`, `1.5s` or `1m30s`"],
    ),
    (
        "a small factor",
        "services: {web: {override: replace, command: x, backoff-factor: 0.5}}\n",
        &["E 1:65 services.web.backoff-factor: the factor must be at least 1, not 0.5"],
    ),
    ("a factor of text", "services: {web: {override: replace, command: x, backoff-factor: \"2\"}}\n", &[]),
    (
        "a factor that is none",
        "services: {web: {override: replace, command: x, backoff-factor: two}}\n",
        &["E 1:65 services.web.backoff-factor: `two` is no number"],
    ),
    ("a large factor", "services: {web: {override: replace, command: x, backoff-factor: 1234567.5}}\n", &[]),
    ("a factor with underscores", "services: {web: {override: replace, command: x, backoff-factor: 1_000.5}}\n", &[]),
    ("a factor in hexadecimal", "services: {web: {override: replace, command: x, backoff-factor: 0x1p4}}\n", &[]),
    (
        "an infinite factor",
        "services: {web: {override: replace, command: x, backoff-factor: inf}}\n",
        &["W 1:65 services.web.backoff-factor: inf is not a factor to multiply a delay by"],
    ),
    (
        "unknown names",
        "services: {web: {override: replace, command: x, after: [nobody], before: [bas], on-check-failure: {nocheck: restart}}}\n",
        &[
            "W 1:57 services.web.after.0: no service `nobody`: the daemon ignores this",
            "W 1:75 services.web.before.0: no service `bas`: the daemon ignores this -> base",
            "W 1:109 services.web.on-check-failure.nocheck: no check `nocheck`: the daemon ignores this",
        ],
    ),
    (
        "an unknown requirement",
        "services: {web: {override: replace, command: x, requires: [bse]}}\n",
        &["E 1:60 services.web.requires.0: no service `bse` -> base"],
    ),
    (
        "a circle",
        "services:\n  a: {override: replace, command: x, after: [b]}\n  b: {override: replace, command: x, after: [c]}\n  c: {override: replace, command: x, before: [], after: [a]}\n",
        &["E 2:45 services.a.after: these services wait for each other: `a`, `b`, `c`"],
    ),
    (
        "a circle through the plan",
        "services: {base: {override: merge, after: [other]}, other: {override: merge, after: [base]}}\n",
        &["E 1:43 services.base.after: these services wait for each other: `base`, `other`"],
    ),
    (
        "a service after itself",
        "services: {web: {override: replace, command: x, after: [web]}}\n",
        &["W 1:57 services.web.after.0: a service that names itself: the daemon ignores this"],
    ),
    (
        "a circle of requirements",
        "services: {a: {override: replace, command: x, requires: [b]}, b: {override: replace, command: x, requires: [a]}}\n",
        &[],
    ),
    (
        "lists of odd items",
        "services: {web: {override: replace, command: x, after: [~, 1, base], before: base}}\n",
        &[
            "W 1:57 services.web.after.0: an empty item is left out",
            "W 1:57 services.web.after.0: no service `1`: the daemon ignores this",
            "E 1:78 services.web.before: a list is needed here, not a single value",
        ],
    ),
    (
        "a mapping in a list",
        "services: {web: {override: replace, command: x, after: [{a: b}]}}\n",
        &["E 1:57 services.web.after.0: text is needed here, not a mapping"],
    ),
    (
        "environment as a list",
        "services: {web: {override: replace, command: x, environment: [A=1]}}\n",
        &["E 1:62 services.web.environment: a mapping is needed here, not a list"],
    ),
    (
        "nested environment",
        "services: {web: {override: replace, command: x, environment: {A: {B: C}}}}\n",
        &["E 1:63 services.web.environment.A: text is needed here, not a mapping"],
    ),
    (
        "odd user ids",
        "services: {web: {override: replace, command: x, user-id: \"0\"}, two: {override: replace, command: x, user-id: 0x10, group-id: 1e2}}\n",
        &["E 1:58 services.web.user-id: an integer is needed here: remove the quotes"],
    ),
    (
        "a group alone in a service",
        "services: {web: {override: replace, command: x, group: root}}\n",
        &["W 1:56 services.web.group: a group without a user: the service will not start"],
    ),
    (
        "a repeated key",
        "services:\n  web:\n    override: replace\n    command: a\n    command: b\n",
        &["E 5:5 services.web.command: key `command` is already set in line 4"],
    ),
    (
        "a repeated service",
        "services:\n  web: {override: replace, command: a}\n  web: {override: replace, command: a}\n",
        &["E 3:3 services.web: key `web` is already set in line 2"],
    ),
    (
        "a repeated section",
        "services: {}\nservices: {}\n",
        &["E 2:1 services: key `services` is already set in line 1"],
    ),
    ("an anchor", "services:\n  a: &a {override: replace, command: x}\n  b: *a\n", &[]),
    (
        "a merge key",
        "services:\n  a: &a {override: replace, command: x, summary: one}\n  b:\n    <<: *a\n    summary: two\n",
        &[],
    ),
    (
        "a list of merge keys",
        "services:\n  a: &a {override: replace}\n  b: &b {override: merge, command: x}\n  c: {<<: [*a, *b]}\n",
        &["E 2:3 services.a: service `a` has no `command`"],
    ),
    (
        "a merge of text",
        "services: {a: {<<: x, override: replace, command: x}}\n",
        &["E 1:20 services.a: `<<` merges mappings, not a single value"],
    ),
    (
        "a quoted merge key",
        "services: {a: {\"<<\": {}, override: replace, command: x}}\n",
        &["E 1:16 services.a.<<: unknown key `<<`"],
    ),
    (
        "an alias to another section",
        "services: {a: {override: replace, command: &c x}}\nchecks: {c: {override: replace, exec: {command: *c}}}\n",
        &["E 2:49 : an alias cannot refer to an anchor outside of its section"],
    ),
    (
        "an unknown anchor",
        "services: {a: *x}\n",
        &["E 1:15 : not valid YAML: while parsing node, found unknown anchor"],
    ),
    ("a byte order mark", "\u{feff}services: {web: {override: replace, command: x}}\n", &[]),
    ("line ends of Windows", "services:\r\n  web:\r\n    override: replace\r\n    command: x\r\n", &[]),
    (
        "tabs",
        "services:\n\tweb:\n\t\tcommand: x\n",
        &["E 2:1 : a tab cannot indent YAML; use spaces", "E 3:1 : a tab cannot indent YAML; use spaces"],
    ),
    (
        "a tab behind spaces",
        "services:\n  web:\n    override: replace\n  \tcommand: x\n",
        &[
            "E 3:15 : not valid YAML: while scanning a plain scalar, found a tab",
            "E 4:3 : a tab cannot indent YAML; use spaces",
        ],
    ),
    (
        "a tab between tokens",
        "services:\n  web:\toverride\n",
        &["E 2:8 services.web: a mapping is needed here, not a single value"],
    ),
    ("a tab before a value", "services: {web: {override: replace, command:\tx}}\n", &[]),
    (
        "bad indentation",
        "services:\n  web:\n    override: replace\n   command: x\n",
        &["E 4:4 : not valid YAML: while parsing a block mapping, did not find expected key"],
    ),
    (
        "an open bracket",
        "services: {web: {override: replace\n",
        &["E 2:1 : not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'"],
    ),
    (
        "an open quote in YAML",
        "services: {web: {command: \"x}}\n",
        &["E 1:27 : not valid YAML: while scanning a quoted scalar, found unexpected end of stream"],
    ),
    ("a control character", "summary: \"a\u{1}b\"\n", &["E 1:12 : control character U+0001 is not allowed"]),
    (
        "a second document",
        "services: {web: {override: replace, command: x}}\n---\nservices: [\n",
        &["W 2:1 : only the first document is read; what follows here is ignored"],
    ),
    ("a document start", "---\nservices: {web: {override: replace, command: x}}\n...\n", &[]),
    (
        "a directive",
        "%YAML 1.2\n---\nservices: {web: {override: replace, command: x}}\n",
        &["E 1:1 : the daemon does not read YAML 1.2: leave this line out"],
    ),
    ("tags", "services: !!map {web: {override: !!str replace, command: !mine x, user-id: !!int \"0\"}}\n", &[]),
    (
        "a tag that lies",
        "services: {web: {override: replace, command: !!int x}}\n",
        &["E 1:46 services.web.command: `x` is no !!int"],
    ),
    ("a binary command", "services: {web: {override: replace, command: !!binary c2xlZXA=}}\n", &[]),
    (
        "block text",
        "services:\n  web:\n    override: replace\n    command: >-\n      sh -c\n      'echo'\n    environment:\n      A: |\n        one\n\n         two\n      B: |+\n        x\n\n",
        &[],
    ),
    (
        "text that needs quotes",
        "services: {web: {override: replace, command: \"true\", environment: {A: \"1:30\", B: \"yes\", C: \"2020-01-02\", D: \" x \", E: \"a: b\", F: \"it's\", G: \"a\\tb\", H: \"\\u0007\", I: \"é\", J: \"'x'\", K: \"- x\", L: \"#x\", M: \"0x1F\", N: \"~\", O: \"\\nx\", P: \"a \\nb\", Q: \"a\\n b\\n\", R: \"\\U0001F600\", S: \"1_0\", T: \"@x\", U: \"x:\", V: \"<<\", W: \"=\", X: \".5\", Y: \"08\", Z: \"?\"}}}\n",
        &[],
    ),
    (
        "names to sort",
        "services:\n  a10: &x {override: replace, command: x}\n  a9: *x\n  a-b: *x\n  ab: *x\n  A: *x\n  _: *x\n  a01: *x\n  a1: *x\n  \"0\": *x\n  a1b: *x\n  \"yes\": *x\n  é: *x\n",
        &[],
    ),
    (
        "an http check",
        "checks: {up2: {override: replace, level: alive, period: 30s, timeout: 1s, threshold: 5, startup: disabled, http: {url: \"http://localhost/\", headers: {A: b}}}}\n",
        &[],
    ),
    ("a tcp check", "checks: {tcp: {override: replace, startup: disabled, tcp: {port: 80, host: h}}}\n", &[]),
    (
        "an exec check",
        "checks: {e: {override: replace, startup: disabled, exec: {command: x, service-context: base, environment: {A: b}, user-id: 0, group-id: 0, working-dir: /}}}\n",
        &[],
    ),
    (
        "no kind of check",
        "checks: {c: {override: replace, period: 1s}}\n",
        &["E 1:10 checks.c: check `c` needs one of `http`, `tcp` and `exec`"],
    ),
    (
        "two kinds of check",
        "checks: {c: {override: replace, startup: disabled, tcp: {port: 80}, exec: {command: x}}}\n",
        &["E 1:10 checks.c: check `c` can have only one of tcp, exec"],
    ),
    (
        "a kind merged onto another",
        "checks: {off: {override: merge, tcp: {port: 80}}}\n",
        &["E 1:10 checks.off: check `off` can have only one of tcp, exec"],
    ),
    ("a merge onto a check", "checks: {off: {override: merge, threshold: 7, exec: {environment: {A: b}}}}\n", &[]),
    (
        "empty kinds of check",
        "checks: {a: {override: replace, http: {}}, b: {override: replace, tcp: {host: h}}, c: {override: replace, exec: {}}}\n",
        &[
            "E 1:33 checks.a.http: http check `a` has no `url`",
            "E 1:67 checks.b.tcp: tcp check `b` has no `port`",
            "E 1:107 checks.c.exec: exec check `c` has no `command`",
        ],
    ),
    (
        "a null kind of check",
        "checks: {a: {override: replace, http: , startup: disabled, tcp: {port: 1}}}\n",
        &[
            "E 1:10 checks.a: check `a` can have only one of http, tcp",
            "E 1:37 checks.a.http: a mapping is needed here, not a single value",
            "E 1:37 checks.a.http: http check `a` has no `url`",
        ],
    ),
    (
        "zero times",
        "checks: {c: {override: replace, startup: disabled, period: 0s, timeout: \"0\", tcp: {port: 80}}}\n",
        &[
            "E 1:60 checks.c.period: the period must not be zero",
            "E 1:73 checks.c.timeout: the timeout must not be zero",
        ],
    ),
    (
        "a long timeout",
        "checks: {c: {override: replace, startup: disabled, period: 1s, timeout: 2s, tcp: {port: 80}}}\n",
        &["W 1:73 checks.c.timeout: the timeout is longer than the period, which is used instead"],
    ),
    (
        "a bad level and startup",
        "checks: {c: {override: replace, startup: banana, level: raedy, tcp: {port: 80}}}\n",
        &[
            "E 1:42 checks.c.startup: `banana` is none of `enabled`, `disabled`",
            "E 1:57 checks.c.level: `raedy` is none of `alive`, `ready` -> ready",
        ],
    ),
    (
        "odd ports",
        "checks: {a: {override: replace, startup: disabled, tcp: {port: \"80\"}}, b: {override: replace, startup: disabled, tcp: {port: 80.7}}, c: {override: replace, startup: disabled, tcp: {port: 70000}}}\n",
        &[
            "E 1:64 checks.a.tcp.port: an integer is needed here: remove the quotes",
            "W 1:126 checks.b.tcp.port: not an integer: the daemon takes it for 80",
            "W 1:188 checks.c.tcp.port: 70000 is no TCP port: the check will fail",
        ],
    ),
    (
        "ports that fit in a way",
        "checks: {b: {override: replace, startup: disabled, tcp: {port: 80.7}}, c: {override: replace, startup: disabled, tcp: {port: 70000}}, d: {override: replace, startup: disabled, tcp: {port: 0x50}}, e: {override: replace, startup: disabled, tcp: {port: 08}}, f: {override: replace, startup: disabled, tcp: {port: 8_0}}}\n",
        &[
            "W 1:64 checks.b.tcp.port: not an integer: the daemon takes it for 80",
            "W 1:126 checks.c.tcp.port: 70000 is no TCP port: the check will fail",
        ],
    ),
    (
        "a port that is none",
        "checks: {c: {override: replace, startup: disabled, tcp: {port: .nan}}}\n",
        &["E 1:64 checks.c.tcp.port: an integer is needed here"],
    ),
    (
        "a port beyond numbers",
        "checks: {c: {override: replace, startup: disabled, tcp: {port: 99999999999999999999}}}\n",
        &["E 1:64 checks.c.tcp.port: an integer is needed here"],
    ),
    (
        "a url without scheme",
        "checks: {c: {override: replace, startup: disabled, http: {url: localhost}}}\n",
        &["W 1:64 checks.c.http.url: not an http:// or https:// URL: the check will fail"],
    ),
    (
        "an unknown context",
        "checks: {c: {override: replace, startup: disabled, exec: {command: x, service-context: bas}}}\n",
        &["E 1:88 checks.c.exec.service-context: no service `bas` -> base"],
    ),
    (
        "an open quote in a check",
        "checks: {c: {override: replace, startup: disabled, exec: {command: \"'\"}}}\n",
        &["E 1:68 checks.c.exec.command: cannot split this command into words: a single quote is not closed"],
    ),
    (
        "a group in a check's command",
        "checks: {c: {override: replace, startup: disabled, exec: {command: \"[ x ]\"}}}\n",
        &[],
    ),
    (
        "a group alone in a check",
        "checks: {c: {override: replace, startup: disabled, exec: {command: x, group-id: 0}}}\n",
        &["E 1:81 checks.c.exec.group-id: a group needs a user beside it"],
    ),
    ("a null check", "checks: {c: }\n", &["E 1:11 checks.c: a mapping is needed here, not a single value"]),
    (
        "an unknown key in a check",
        "checks: {c: {override: replace, interval: 1s, http: {uri: x}}}\n",
        &[
            "E 1:33 checks.c.interval: unknown key `interval` -> period",
            "E 1:47 checks.c.http: http check `c` has no `url`",
            "E 1:54 checks.c.http.uri: unknown key `uri` -> url",
        ],
    ),
    (
        "a log target",
        "log-targets: {t: {override: replace, type: loki, location: \"http://localhost/\", services: [all, -base], labels: {a: $B}}}\n",
        &[],
    ),
    (
        "a log target without services",
        "log-targets: {t: {override: replace, type: syslog, location: \"udp://localhost:1\"}}\n",
        &[],
    ),
    (
        "a log target without anything",
        "log-targets: {t: {override: replace}}\n",
        &[
            "E 1:15 log-targets.t: log target `t` has no `location`",
            "E 1:15 log-targets.t: log target `t` has no `type`",
        ],
    ),
    (
        "a bad type of log target",
        "log-targets: {t: {override: replace, type: lokki, location: x}}\n",
        &["E 1:44 log-targets.t.type: `lokki` is none of `loki`, `opentelemetry`, `syslog` -> loki"],
    ),
    (
        "a log target of nobody",
        "log-targets: {t: {override: replace, type: loki, location: x, services: [-bse, all, web]}}\n",
        &[
            "E 1:74 log-targets.t.services.0: no service `bse` -> base",
            "E 1:85 log-targets.t.services.2: no service `web`",
        ],
    ),
    (
        "a reserved label",
        "log-targets: {t: {override: replace, type: loki, location: x, labels: {pebble_x: y}}}\n",
        &["E 1:82 log-targets.t.labels.pebble_x: label `pebble_x`: names that start with `pebble_` are reserved"],
    ),
    (
        "a log target without name",
        "log-targets: {\"\": {override: replace, type: loki, location: x}}\n",
        &["W 1:15 log-targets.: a log target needs a name"],
    ),
    ("a merge onto a log target", "log-targets: {logs: {override: merge, services: [other], labels: {b: c}}}\n", &[]),
    (
        "a new workload",
        "workloads: {w: {override: replace, user-id: 0}}\n",
        &["E 1:13 workloads.w: workloads cannot change while the daemon runs"],
    ),
    ("the same workload", "workloads: {job: {override: replace, environment: {A: b}}}\n", &[]),
    (
        "a workload without override",
        "workloads: {job: {environment: {A: b}}}\n",
        &["E 1:13 workloads.job: workload `job` must say `override: replace` or `override: merge`"],
    ),
    (
        "a workload with a group alone",
        "workloads: {job: {override: merge, group-id: 0}}\n",
        &["E 1:46 workloads.job.group-id: a group needs a user beside it"],
    ),
    (
        "a null workload",
        "workloads: {job: }\n",
        &["E 1:16 workloads.job: a mapping is needed here, not a single value"],
    ),
    ("a service in a workload", "services: {web: {override: replace, command: x, workload: job}}\n", &[]),
    (
        "a service in no workload",
        "services: {web: {override: replace, command: x, workload: jbo}}\n",
        &["E 1:59 services.web.workload: no workload `jbo` -> job"],
    ),
    (
        "a user in a workload",
        "services: {web: {override: replace, command: x, workload: job, user-id: 0}}\n",
        &["E 1:59 services.web.workload: a service that has a workload can have neither a user nor a group of its own"],
    ),
    ("pairing", "pairing: {mode: single}\n", &[]),
    (
        "a bad mode of pairing",
        "pairing: {mode: sngle}\n",
        &["E 1:17 pairing.mode: `sngle` is none of `disabled`, `single`, `multiple` -> single"],
    ),
    (
        "pairing with an unknown key",
        "pairing: {modes: single}\n",
        &["E 1:11 pairing.modes: unknown key `modes` -> mode"],
    ),
    (
        "pairing as text",
        "pairing: single\n",
        &["W 1:10 pairing: `pairing` must be a mapping; a single value is ignored"],
    ),
    ("pairing as a list", "pairing: [single]\n", &["E 1:10 pairing: a mapping is needed here, not a list"]),
    (
        "empty things in block style",
        "services:\n  web:\n    override: replace\n    command: x\n    kill-delay:\n    after:\n    user-id:\n    environment:\n",
        &[],
    ),
    (
        "empty things in braces",
        "services: {web: {override: replace, command: x, after: }, two: {override: replace, command: x, user-id: , environment: {A: }}}\n",
        &[
            "E 1:54 services.web.after: a list is needed here, not a single value",
            "E 1:103 services.two.user-id: an integer is needed here",
        ],
    ),
    (
        "explicit nulls in braces",
        "services: {web: {override: replace, command: x, after: ~, kill-delay: null, user-id: ~}}\n",
        &[],
    ),
    (
        "an empty summary",
        "summary:\nservices: {}\n",
        &["E 1:1 summary: `summary` has no value, which the daemon refuses: leave it out"],
    ),
    (
        "an empty section of workloads",
        "workloads:\n",
        &["E 1:1 workloads: `workloads` has no value, which the daemon refuses: leave it out"],
    ),
    ("an empty pairing", "pairing:\n", &[]),
    (
        "a key of nothing",
        "services:\n  : {override: replace, command: x}\n",
        &["E 2:3 services.: a service needs a name"],
    ),
    ("the version that is read", "%YAML 1.1\n---\nservices: {}\n", &[]),
    (
        "a long default timeout",
        "checks: {c: {override: replace, startup: disabled, timeout: 20s, tcp: {port: 80}}}\n",
        &["W 1:61 checks.c.timeout: the timeout is longer than the period, which is used instead"],
    ),
    (
        "a negative period",
        "checks: {c: {override: replace, startup: disabled, period: -1s, tcp: {port: 80}}}\n",
        &["W 1:60 checks.c.period: a negative period makes no sense"],
    ),
    (
        "a negative threshold",
        "checks: {c: {override: replace, startup: disabled, threshold: -1, tcp: {port: 80}}}\n",
        &["W 1:63 checks.c.threshold: a negative threshold makes no sense"],
    ),
    (
        "text that breaks lines",
        "services: {web: {override: replace, command: x, environment: {A: \"\\n\", B: \"\\n\\n\", C: \"\\n\\nx\", D: \"x\\n\\n\", E: \" x\\ny\", F: \"x\\ty\\nz\", G: \"x\\ry\", H: \"\\u2028\", I: \"=\", J: \"a, b\", K: \"%x\", L: \"---\", M: \"0o7\", N: \"1e3\", O: \"12:30:45.6\", P: \"null\", Q: \"!x\"}}}\n",
        &[],
    ),
    ("something after the document", "{services: {}} x\n", &[]),
    ("a key in quotes", "\"services\": {'web': {\"override\": \"replace\", \"command\":\"x\"}}\n", &[]),
    ("a question mark", "? services\n: ? web\n  : {override: replace, command: x}\n", &[]),
    (
        "a merge of an alias of text",
        "services:\n  a: {override: replace, command: &x x}\n  b: {<<: *x, override: replace, command: y}\n",
        &["E 3:11 services.b: `<<` merges mappings, not a single value"],
    ),
    ("an unknown directive", "%FOO 1\n---\nservices: {}\n", &["E 1:1 : there is no such directive"]),
    ("braces over several lines", "services: {\n  web: {\n    override: replace, command: x,\n  },\n}\n", &[]),
    (
        "brackets at the margin",
        "services:\n  web:\n    override: replace\n    command: x\n    after: [\n      base,\n    ]\n    before: [\n]\n",
        &[],
    ),
];
