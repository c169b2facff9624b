//! Whatever stands in an inbox: nothing is followed, nothing hangs, nothing counts.

use crate::{files, inbox, note, open, receive_all, send, verified};
use pos_kernel_core::Code;
use serde_json::{Value, json};
use std::path::Path;

#[cfg(unix)]
pub(crate) fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[cfg(unix)]
#[test]
fn hostile_files_are_dead_with_a_reason_and_the_rest_is_received() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let good = send(&one, "T2", 1);
    let new = inbox(root, "T2", "new");
    let whole = std::fs::read_to_string(new.join(format!("{}.json", good.id))).unwrap();
    let secret = root.join("secret");
    std::fs::write(&secret, &whole).unwrap();
    let named = |number: u64| format!("00000000000000{number:02x}-T7-00000001{number:06x}.json");
    let as_from = |number: u64, text: &str| {
        let id = named(number).replace(".json", "");
        text.replace(&good.id, &id).replace("\"from\":\"T1\"", "\"from\":\"T7\"")
    };
    let put = |number: u64, text: &str| std::fs::write(new.join(named(number)), text).unwrap();

    symlink(&secret, new.join(named(1))).unwrap();
    symlink("/dev/zero", new.join(named(2))).unwrap();
    make_pipe(&new.join(named(3)));
    std::fs::create_dir(new.join(named(4))).unwrap();
    put(5, "");
    put(6, &whole[..whole.len() / 2]);
    put(7, &whole);
    put(8, &format!("{whole}{}", " ".repeat(256 << 10)));
    put(9, &as_from(9, &whole).replace("\"T2\"", "\"T3\""));
    put(10, &as_from(10, &whole).replace("\"body\"", "\"more\":1,\"body\""));
    put(11, &as_from(11, &whole).replace("x.note", "Unknown"));
    put(12, &"[".repeat(200_000));
    let sparse = std::fs::File::create(new.join(named(13))).unwrap();
    sparse.set_len(1 << 40).unwrap();
    symlink(new.join(named(14)), new.join(named(14))).unwrap();
    // A socket's path is short; a rename makes it long.
    let socket = std::os::unix::net::UnixListener::bind(root.join("s")).unwrap();
    std::fs::rename(root.join("s"), new.join(named(15))).unwrap();
    for name in ["..json", "x", ".hidden", &"n".repeat(250), "a\nb"] {
        std::fs::write(new.join(name), "").unwrap();
    }
    std::fs::write(new.join(std::ffi::OsStr::from_bytes(b"\xff\xfe.json")), "").unwrap();
    make_pipe(&new.join("pipe"));
    std::fs::create_dir_all(new.join("folder/with/more")).unwrap();

    let got = receive_all(&two);
    assert_eq!(got.iter().map(|message| &message.id).collect::<Vec<_>>(), [&good.id]);
    assert_eq!(files(&new), [""; 0]);
    let dead = inbox(root, "T2", "dead");
    let reason = |number: u64| -> String {
        let text = std::fs::read(dead.join(format!("{}.reason.json", named(number)))).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        value["reason"].as_str().unwrap().to_owned()
    };
    let reasons: Vec<String> = (1..=15).map(reason).collect();
    let expected = [
        "type",
        "type",
        "type",
        "type",
        "malformed",
        "malformed",
        "id",
        "size",
        "recipient",
        "malformed",
        "malformed",
        "malformed",
        "size",
        "type",
        "type",
    ];
    assert_eq!(reasons, expected);
    let strays = files(&dead).into_iter().filter(|name| name.starts_with("stray-")).count();
    assert_eq!(strays, 2 * 8);
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), whole, "no link was followed");
    drop(socket);

    // The same once more: what is dead already makes room.
    symlink(&secret, new.join(named(1))).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(receive_all(&two).len(), 0);
    assert_eq!(reason(1), "type");
    verified(&two);
}

#[cfg(unix)]
#[test]
fn folders_that_are_links_are_refused_by_both_sides() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    send(&one, "T2", 1);
    let elsewhere = root.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for folder in ["new", "tmp"] {
        let place = inbox(root, "T2", folder);
        let kept = root.join("kept");
        std::fs::rename(&place, &kept).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        let error = one.send("T2", note(json!(2))).unwrap_err();
        assert_eq!(error.code(), Code::SharedFile, "{folder}");
        if folder == "new" {
            assert_eq!(two.receive(1).unwrap_err().code(), Code::SharedFile);
        }
        std::fs::remove_file(&place).unwrap();
        std::fs::rename(&kept, &place).unwrap();
    }
    assert_eq!(files(&elsewhere), [""; 0]);
    assert_eq!(receive_all(&two).len(), 1);
}
