//! Rollouts: any bytes are rollouts or an error.
#![no_main]

use std::io::Write as _;

use guerdon_io::{Mapping, OnBadRow, ReadOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("guerdon-fuzz-{}.jsonl", std::process::id()));
    if std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).is_err() {
        return;
    }
    for group_scan in [false, true] {
        let options = ReadOptions { on_bad_row: OnBadRow::Skip, group_scan, ..ReadOptions::default() };
        let Ok(mut reader) = guerdon_io::open(&path, &Mapping::default(), &options) else { return };
        while let Ok(Some(batch)) = reader.next_batch(4) {
            assert_eq!(batch.groups.rows(), batch.rollouts.len());
        }
    }
});
