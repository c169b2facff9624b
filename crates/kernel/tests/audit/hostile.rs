//! A shared folder that others write to.

use crate::shop::{Shop, assert_whole};
use pos_kernel_core::Code;
use pos_kernel_core::audit::Merger;
use std::fs;

#[test]
fn a_folder_or_a_blob_in_the_place_of_the_log_is_refused() {
    let shop = Shop::new();
    shop.sell("A", 1);
    fs::create_dir_all(shop.log()).unwrap();
    assert_eq!(Merger::open(shop.root.path()).unwrap_err().code(), Code::Io);
    fs::remove_dir(shop.log()).unwrap();
    // Bytes that no block of ours closes are cut, as a tear is.
    fs::write(shop.log(), [0_u8; 4096]).unwrap();
    shop.merge();
    assert_whole(&shop.check());
    fs::write(shop.log(), vec![b'\n'; 4096]).unwrap();
    shop.merge();
    assert_whole(&shop.check());
}

#[cfg(unix)]
mod unix {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn pipe(path: &Path) {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_the_log_or_its_lock_leads_nowhere() {
        let shop = Shop::new();
        shop.sell("A", 1);
        let victim = shop.root.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let shared = shop.log().parent().unwrap().to_owned();
        fs::create_dir_all(&shared).unwrap();
        for place in [shop.log(), shared.join("aggregated_audit.lock")] {
            let _ = fs::remove_file(&place);
            symlink(&victim, &place).unwrap();
            assert_eq!(Merger::open(shop.root.path()).unwrap_err().code(), Code::Io);
            assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
            fs::remove_file(&place).unwrap();
        }
    }

    #[test]
    fn a_pipe_makes_nobody_wait() {
        let shop = Shop::new();
        shop.sell("A", 1);
        shop.sell("B", 1);
        shop.merge();
        let shared = shop.log().parent().unwrap().to_owned();
        let lock = shared.join("aggregated_audit.lock");
        let kept = fs::read(shop.log()).unwrap();
        for place in [shop.log(), lock] {
            fs::remove_file(&place).unwrap();
            pipe(&place);
            assert_eq!(Merger::open(shop.root.path()).unwrap_err().code(), Code::Io);
            fs::remove_file(&place).unwrap();
            fs::write(&place, &kept).unwrap();
        }
        // In the place of a journal it is that terminal's problem.
        let segment = fs::read(shop.segment("A", 1)).unwrap();
        fs::remove_file(shop.segment("A", 1)).unwrap();
        pipe(&shop.segment("A", 1));
        shop.sell("B", 2);
        let merged = shop.merge();
        assert_eq!(merged.faults.len(), 1);
        assert_eq!(merged.faults[0].terminal, "A");
        assert!(merged.frames > 0);
        fs::remove_file(shop.segment("A", 1)).unwrap();
        fs::create_dir(shop.segment("A", 1)).unwrap();
        assert_eq!(shop.merge().faults[0].terminal, "A");
        fs::remove_dir(shop.segment("A", 1)).unwrap();
        fs::write(shop.segment("A", 1), segment).unwrap();
        assert_eq!(shop.merge().faults, []);
        assert_whole(&shop.check());
    }
}
