//! `vm proxy`

use crate::cli::Outcome;
use crate::cli::exec::input;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::forward::{Listening, Rule, relay};
use crate::model::{At, Forward, Note, Port};
use crate::output::{Cell, Column, Format, ListOptions};
use crate::provider::feature::capability;
use crate::provider::tunnels::{PortEvent, Tunnels};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::signal;
use crate::stream;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::sync::oneshot;

const COLUMNS: &[Column<Forward>] = &[
    Column::new("LOCAL", "local_address", |f: &Forward| Cell::text(&f.local_address)),
    Column::new("HOST", "host", |f: &Forward| Cell::maybe(f.host.as_deref())),
    Column::new("PORT", "port", |f: &Forward| Cell::count(f.port)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Listens on this machine, for this machine alone unless BIND says otherwise, and
relays each connection; it goes on until Ctrl-C. A failed connection ends no
other. `:PORT` takes a free port; -o json tells which.

Examples:
  esker vm proxy sprites/dev 8080
  esker vm proxy sprites/dev 9000:8080 :5432
  esker vm proxy sprites/dev --ports                 # whatever its programs open
  ssh -o ProxyCommand='esker vm proxy sprites/dev -W :22' dev")]
pub struct ProxyArgs {
    /// The machine (left out with --target), then ports: [[BIND:]LOCAL:][HOST:]PORT
    #[arg(value_name = "TARGET|PORT")]
    words: Vec<String>,
    /// Connect stdin and stdout to this port instead, as ssh's ProxyCommand wants it
    #[arg(short = 'W', long, value_name = "[HOST]:PORT")]
    stdio: Option<String>,
    /// Forward every port that its programs open, by the same number where that is free
    #[arg(long, conflicts_with = "stdio")]
    ports: bool,
}

/// Forwards ports until it is interrupted.
pub async fn run(ctx: &Ctx, args: ProxyArgs) -> anyhow::Result<Outcome> {
    let by_flag = matches!(ctx.settings.origin(Opt::Target), crate::config::Origin::Flag(_));
    let is_port = |text: &String| text.parse::<Rule>().is_ok();
    let (named, specs) = match args.words.split_first() {
        Some((first, rest)) if !by_flag && !is_port(first) => (Some(first), rest),
        _ => (None, args.words.as_slice()),
    };
    let rules = specs.iter().map(|text| text.parse::<Rule>()).collect::<Result<Vec<_>, _>>().map_err(Error::usage)?;
    let stdio = args.stdio.as_deref().map(destination).transpose()?;
    if stdio.is_some() != rules.is_empty() && !args.ports {
        return Err(if stdio.is_some() {
            Error::usage("-W takes no other ports")
        } else {
            Error::usage("no port is named").hint("write it after the machine: esker vm proxy TARGET 8080")
        }
        .into());
    }
    let mut needs = vec![Need::new(Feature::Tunnels, "vm proxy")];
    needs.extend(args.ports.then(|| Need::new(Feature::TunnelsPorts, "--ports")));
    let target = ctx.target_named(named, &needs)?;
    let tunnels = capability(&*target.place, |place| place.tunnels(), Feature::Tunnels, "vm proxy")?;
    let located = |error: Error| error.at(target.provider.driver().id, &*target.full);
    if let Some((host, port)) = stdio {
        through_stdio(ctx, tunnels, &host, port).await.map_err(located)?;
        return Ok(Outcome::Done);
    }
    let mut listening = Vec::new();
    for rule in rules {
        listening.push(Listening::new(rule).await?);
    }
    announce(ctx, &target, &listening)?;
    let mut signals = ctx.signals.listen().await?;
    let tell = |error: Error| ctx.out.warn(&error.to_string());
    let forwards = async {
        let mut serving: FuturesUnordered<_> = listening.iter().map(|l| l.serve(tunnels, &tell)).collect();
        while serving.next().await.is_some() {}
        std::future::pending::<()>().await;
    };
    let opened = async {
        if !args.ports {
            return std::future::pending::<Result<()>>().await;
        }
        follow(ctx, &target, tunnels, &tell).await
    };
    tokio::select! {
        () = forwards => {}
        outcome = opened => outcome.map_err(located)?,
        signal = signals.next() => {
            // It is the only way to end it, so that is no failure.
            return match signal.name() {
                "SIGINT" | "SIGTERM" | "SIGHUP" => Ok(Outcome::Done),
                _ => Err(signal::interrupted(&signal, "interrupted").into()),
            };
        }
    }
    Ok(Outcome::Done)
}

/// `[HOST]:PORT`, as ssh writes `%h:%p`.
fn destination(text: &str) -> Result<(String, u16)> {
    let wrong = || Error::usage(format!("`{text}` is not [HOST]:PORT"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    Ok((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
}

async fn through_stdio(ctx: &Ctx, tunnels: &dyn Tunnels, host: &str, port: u16) -> Result<()> {
    let tunnel = tunnels.connect(host, port).await?;
    let chunks = input::read()?;
    let up = stream::unfold(chunks, |mut chunks| async move { Ok(chunks.recv().await.map(|chunk| (chunk, chunks))) });
    relay(tunnel, up, async |chunk| ctx.out.bytes(&chunk)).await
}

/// Says where it listens: to people on stderr, to programs as a document on stdout.
fn announce(ctx: &Ctx, target: &Target, listening: &[Listening]) -> Result<()> {
    let rows: Vec<At<Forward>> = listening.iter().map(|listening| at(target, forward(listening))).collect();
    if ctx.out.format() == Format::Jsonl {
        return rows.iter().try_for_each(|row| ctx.out.event("forward", row));
    }
    if ctx.out.is_structured() {
        return ctx.out.list(&rows, COLUMNS, &ListOptions::default());
    }
    for listening in listening {
        ctx.out.done(&format!("{} leads to {} of `{}`", listening.address, listening.rule, target.full));
    }
    Ok(())
}

fn forward(listening: &Listening) -> Forward {
    Forward {
        local_address: listening.address.to_string(),
        local_port: listening.address.port(),
        host: Some(listening.rule.host.clone()).filter(|host| !host.is_empty()),
        port: listening.rule.port,
    }
}

/// Forwards the ports that programs over there open, each until it is closed.
async fn follow(ctx: &Ctx, target: &Target, tunnels: &dyn Tunnels, tell: &dyn Fn(Error)) -> Result<()> {
    let mut events = tunnels.ports();
    let mut open: HashMap<u16, oneshot::Sender<()>> = HashMap::new();
    let mut serving = FuturesUnordered::new();
    loop {
        let opened = tokio::select! {
            event = events.next() => match event.transpose()? {
                None => return Err(Error::unreachable("the feed of ports ended")),
                Some(PortEvent::Now(ports)) => ports,
                Some(PortEvent::Opened(port)) => vec![port],
                Some(PortEvent::Closed(port)) => {
                    if open.remove(&port.port).is_some() {
                        ctx.out.show(&Note::Port { port: port.port, open: false });
                    }
                    continue;
                }
            },
            Some(()) = serving.next() => continue,
        };
        for port in opened {
            if open.contains_key(&port.port) {
                continue;
            }
            match listen(&port).await {
                Err(error) => tell(error),
                Ok(listening) => {
                    announce(ctx, target, std::slice::from_ref(&listening))?;
                    let (closed, gone) = oneshot::channel();
                    open.insert(port.port, closed);
                    serving.push(async move {
                        tokio::select! {
                            () = listening.serve(tunnels, tell) => {}
                            _ = gone => {}
                        }
                    });
                }
            }
        }
    }
}

/// Listens by the same number, or by a free one where that is taken.
async fn listen(opened: &Port) -> Result<Listening> {
    // An address that stands for all of them is reached as the machine itself (section 2.10 of the Sprites reference).
    let host = match opened.address.parse::<IpAddr>() {
        Ok(address) if !address.is_unspecified() && !address.is_loopback() => opened.address.clone(),
        _ => String::new(),
    };
    let rule = Rule { host, ..Rule::same(opened.port) };
    match Listening::new(rule.clone()).await {
        Err(_) => Listening::new(Rule { local: 0, ..rule }).await,
        listening => listening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_what_ssh_writes() {
        assert_eq!(destination(":22").unwrap(), (String::new(), 22));
        assert_eq!(destination("db:5432").unwrap(), ("db".to_owned(), 5432));
        assert_eq!(destination("[fdf::1]:22").unwrap(), ("fdf::1".to_owned(), 22));
        assert!(destination("22").is_err() && destination(":0").is_err());
    }
}
