//! The configuration of a store: versions rise, and every journal tells of them.

use crate::{facts, open, verified};
use pos_kernel_core::Code;
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::coordination::SystemConfig;
use pos_kernel_core::journal::{ConfigurationApplied, ConfigurationSet, Fact, Hash};
use pos_kernel_core::{OpenOptions, Terminal};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const NOON_NS: i64 = 1_764_158_400_000_000_000;

fn values(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_configuration_takes_effect_at_its_time_and_is_a_fact_of_whoever_set_and_applied_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let clock = Arc::new(TestClock::new(NOON_NS));
    let opened = |id: &str| {
        let clock = clock.clone();
        Terminal::open(&OpenOptions { clock, ..crate::options(root, id) }).unwrap()
    };
    let (manager, till) = (opened("MANAGER"), opened("T1"));
    assert_eq!(till.apply_system_config().unwrap().config, None);
    let soon = NOON_NS + 30_000_000_000;
    let set = manager
        .set_system_config(None, Some(soon), values(&json!({"receiptFooter": "Danke"})))
        .unwrap();
    assert_eq!((set.version, set.effective_ns), (1, soon));
    assert_eq!(SystemConfig::load(root).unwrap(), Some(set.clone()));
    let early = till.apply_system_config().unwrap();
    assert!(early.pending);
    assert!(!early.applied);
    assert_eq!(till.system_config().unwrap(), None);
    clock.pass(30_000_000_000);
    assert!(till.apply_system_config().unwrap().applied);
    let again = till.apply_system_config().unwrap();
    assert!(!again.applied);
    assert_eq!(till.system_config().unwrap(), Some((1, set.hash())));
    let hash = Hash(set.hash());
    let applied = ConfigurationApplied { version: 1, effective_ns: soon, hash };
    let count = facts(&till).iter().filter(|fact| **fact == applied.clone().into()).count();
    assert_eq!(count, 1);
    let fact = ConfigurationSet { version: 1, effective_ns: soon, hash, operator: None };
    assert!(facts(&manager).contains(&Fact::from(fact)));
    verified(&till);
    // What is in force survives the end of the owner and a checkpoint.
    let till = opened("T1");
    assert_eq!(till.system_config().unwrap(), Some((1, set.hash())));
    verified(&till);
    verified(&manager);
}

#[test]
fn versions_only_rise_and_bad_values_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let manager = open(root, "MANAGER");
    let set = |version, values: Value| {
        manager.set_system_config(version, None, values.as_object().unwrap().clone())
    };
    set(Some(5), json!({"a": 1})).unwrap();
    let before = std::fs::read(root.join("shared/coordination/system_config.json")).unwrap();
    for (version, code) in [
        (Some(5), Code::ConfigVersion),
        (Some(4), Code::ConfigVersion),
        (Some(0), Code::BadArgument),
        (Some(u64::MAX), Code::BadArgument),
    ] {
        assert_eq!(set(version, json!({})).unwrap_err().code(), code, "{version:?}");
    }
    let large = json!({"a": "x".repeat(64 << 10)});
    assert_eq!(set(None, large).unwrap_err().code(), Code::Limit);
    let after = std::fs::read(root.join("shared/coordination/system_config.json")).unwrap();
    assert_eq!(before, after);
    assert_eq!(set(None, json!({})).unwrap().version, 6);
    verified(&manager);
}

#[test]
fn a_file_that_was_changed_by_hand_or_put_back_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (manager, till) = (open(root, "MANAGER"), open(root, "T1"));
    let file = root.join("shared/coordination/system_config.json");
    manager.set_system_config(None, None, values(&json!({"limit": 100}))).unwrap();
    let first = std::fs::read_to_string(&file).unwrap();
    for garbage in ["", "[]", "{}", &first.replace("100", "101"), &first.replace("version", "v")] {
        std::fs::write(&file, garbage).unwrap();
        assert_eq!(till.apply_system_config().unwrap_err().code(), Code::BadConfig, "{garbage}");
        let error = manager.set_system_config(None, None, Map::new()).unwrap_err();
        assert_eq!(error.code(), Code::BadConfig);
    }
    manager.set_system_config(Some(2), None, Map::new()).unwrap();
    assert!(till.apply_system_config().unwrap().applied);
    std::fs::write(&file, &first).unwrap();
    assert_eq!(till.apply_system_config().unwrap_err().code(), Code::ConfigVersion);
    verified(&till);
}

#[cfg(unix)]
#[test]
fn a_link_a_pipe_and_a_folder_are_no_configuration() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let till = open(root, "T1");
    let file = root.join("shared/coordination/system_config.json");
    let elsewhere = root.join("elsewhere.json");
    std::fs::write(&elsewhere, "{}").unwrap();
    let refused = || {
        assert_eq!(SystemConfig::load(root).unwrap_err().code(), Code::SharedFile);
        assert_eq!(till.apply_system_config().unwrap_err().code(), Code::SharedFile);
    };
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    refused();
    std::fs::remove_file(&file).unwrap();
    crate::hostile::make_pipe(&file);
    refused();
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    refused();
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, vec![b' '; 1 << 20]).unwrap();
    refused();
}
