//! What every provider must keep to, whatever it can do: run by each of them over a place that needs no server.
//!
//! A declared feature has its accessor and the reverse; a refusal names provider, command and feature; opening does
//! no I/O; what is printed resolves back.

use super::feature::capability;
use super::registry::DRIVERS;
use super::{Driver, Env, Feature, Place, Scope, require};
use crate::error::ErrorKind;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The accessor of a feature's capability: whether the place has it.
fn has(place: &dyn Place, feature: Feature) -> bool {
    use Feature as F;
    match feature {
        F::Services | F::ServicesLogs | F::ServicesSignal | F::ServicesReplan | F::ServicesEdit => {
            place.services().is_some()
        }
        F::Checks => place.checks().is_some(),
        F::Changes => place.changes().is_some(),
        F::Plan => place.plan().is_some(),
        F::Notices => place.notices().is_some(),
        F::Identities => place.identities().is_some(),
        F::Metrics => place.metrics().is_some(),
        F::Exec
        | F::ExecTty
        | F::ExecSignal
        | F::ExecUser
        | F::ExecDir
        | F::ExecEnv
        | F::ExecContext
        | F::ExecTimeout
        | F::ExecShell
        | F::ExecVerify
        | F::AgentHost => place.exec().is_some(),
        F::ExecDetach | F::ExecAttach | F::ExecKeepAwake => place.exec().is_some() && place.runs().is_some(),
        F::Files
        | F::FilesRange
        | F::FilesRename
        | F::FilesMode
        | F::FilesOwner
        | F::FilesChange
        | F::FilesLinks
        | F::FilesDirectories => place.files().is_some(),
        F::Policies => place.policies().is_some(),
        F::Tunnels | F::TunnelsPorts => place.tunnels().is_some(),
        F::Snippets => place.snippets().is_some(),
        F::Recordings => place.recordings().is_some(),
        F::Checkpoints
        | F::CheckpointAuto
        | F::CheckpointClone
        | F::CheckpointExpiry
        | F::CheckpointHistory
        | F::CheckpointOperation => place.checkpoints().is_some(),
        F::Agent => place.agent().is_some(),
        // Of the endpoint, not of a place.
        F::Machines
        | F::MachinesWatch
        | F::MachinesHealth
        | F::MachinesUpdate
        | F::MachinesPower
        | F::MachinesResize
        | F::MachinesStats
        | F::MachinesRestart
        | F::MachinesHibernate
        | F::MachinesMigrate
        | F::MachinesClone
        | F::MachinesTags
        | F::MachinesConsole
        | F::MachinesFilter
        | F::MachinesTemplate
        | F::MachinesUpgrade
        | F::MachinesUrl
        | F::MachinesLabels
        | F::MachinesImage
        | F::MachinesFrom
        | F::MachinesEnv
        | F::MachinesSize
        | F::MachinesRegion
        | F::Resources
        | F::LoginSession
        | F::LoginAsGuest
        | F::LoginFromFly
        | F::Raw => true,
    }
}

/// A place of the driver's implicit endpoint, as it is without any environment.
fn place(driver: &'static Driver) -> Arc<dyn Place> {
    let endpoint = (driver.implicit)(&|_| None).expect("the implicit endpoint needs no variables");
    let provider = (driver.open)(&endpoint, Env::default()).expect("opening does no I/O, so it cannot fail");
    assert_eq!(provider.driver().id, driver.id);
    let name = driver.place.map(|_| crate::model::Name::from("a"));
    provider.place(name.as_ref()).expect("a place is made without I/O")
}

#[test]
fn a_declared_feature_has_its_accessor_and_the_reverse() {
    for driver in DRIVERS {
        let place = place(driver);
        let declared: BTreeSet<Feature> = place.offers().iter().map(|offer| offer.feature).collect();
        assert_eq!(declared.len(), place.offers().len(), "{}: a feature is declared twice", driver.id);
        for feature in &declared {
            assert!(has(&*place, *feature), "{}: {} is declared and missing", driver.id, feature.name());
        }
        // The capability itself is the first feature of its family: without it none of the accessors may answer.
        for feature in [Feature::Services, Feature::Exec, Feature::Files, Feature::Checkpoints, Feature::Agent] {
            assert_eq!(has(&*place, feature), declared.contains(&feature), "{}: {}", driver.id, feature.name());
        }
        for offer in place.offers() {
            let known = driver.offers.iter().any(|o| o.feature == offer.feature && o.on == offer.on);
            assert!(known, "{}: a place offers {} beyond its driver", driver.id, offer.feature.name());
        }
    }
}

#[test]
fn a_finer_feature_needs_its_capability() {
    for driver in DRIVERS {
        let declared: BTreeSet<&str> = driver.offers.iter().map(|offer| offer.feature.name()).collect();
        for name in &declared {
            if let Some((family, _)) = name.split_once('.').filter(|(family, _)| *family != "vm") {
                assert!(declared.contains(family), "{}: {name} without {family}", driver.id);
            }
        }
    }
}

#[test]
fn what_is_not_offered_is_refused_by_name_before_any_io() {
    for driver in DRIVERS {
        let place = place(driver);
        for feature in Feature::ALL {
            let offered = place.offers().iter().any(|offer| offer.feature == *feature && offer.on != Scope::Endpoint);
            let refusal = require(&*place, &(*feature, "the command"));
            if offered {
                assert!(refusal.is_ok(), "{}: {}", driver.id, feature.name());
                continue;
            }
            let error = refusal.expect_err("not offered");
            if place.offers().iter().any(|offer| offer.feature == *feature) {
                // It exists elsewhere: the right form is named instead.
                assert_eq!(error.kind(), ErrorKind::Usage);
                continue;
            }
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let text = error.to_string();
            for part in [driver.id, "`the command`", feature.name()] {
                assert!(text.contains(part), "{text} does not name {part}");
            }
        }
        let missing = capability(&*place, |_| None::<&dyn Place>, Feature::Exec, "exec");
        assert_eq!(missing.err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
    }
}

#[test]
fn drivers_are_complete() {
    let mut ids = BTreeSet::new();
    for driver in DRIVERS {
        assert!(ids.insert(driver.id), "{} stands twice", driver.id);
        assert!(!driver.summary.is_empty() && !driver.offers.is_empty());
        for key in driver.keys {
            assert!(!key.summary.is_empty(), "{}: key {} is not explained", driver.id, key.name);
        }
    }
}
