//! Times the rating methods on seeded arenas and prints one JSON line per figure, as the peers' script does:
//! `cargo bench -p guerdon-rank --bench rank [-- REPEATS [DIR]]`.
//!
//! With `DIR`, the arenas `arena_20.csv` and `arena_100.csv` there (`x,y,winner`, winner 0 tie, 1 first, 2 second) are used,
//! so that both sides rate the same rows; without it, arenas are drawn here.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use guerdon_core::seed;
use guerdon_rank::fit::{self, Options};
use guerdon_rank::rank::Rate as _;
use guerdon_rank::rank::bradley_terry::{BradleyTerry, Interval};
use guerdon_rank::rank::{eigen, elo, newman, pagerank};
use guerdon_rank::uncertainty::bootstrap;
use guerdon_rank::uncertainty::resample::Resampler;
use guerdon_rank::{Columns, Comparisons, Outcome, read};
use rand::RngExt as _;

fn arena(models: u32, rows: usize, seed: u64) -> Comparisons {
    let mut rng = seed::stream(seed, "arena");
    let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let theta: Vec<f64> = (0..models).map(|_| normal()).collect();
    let (mut first, mut second, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let a = rng.random_range(0..models);
        let b = (a + rng.random_range(1..models)) % models;
        let p = 1.0 / (1.0 + (theta[b as usize] - theta[a as usize]).exp());
        let won = if rng.random::<f64>() < p { Outcome::First } else { Outcome::Second };
        outcome.push(if rng.random::<f64>() < 0.15 { Outcome::Tie } else { won });
        first.push(a);
        second.push(b);
    }
    let names = (0..models).map(|i| format!("m{i:04}")).collect();
    Comparisons::new(names, first, second, outcome).expect("the arena is valid")
}

fn write(all: &Comparisons, path: &Path) {
    let mut file = BufWriter::new(File::create(path).expect("the folder can be written"));
    writeln!(file, "x,y,winner").expect("the disk has room");
    for (a, b, outcome, _) in all.rows() {
        let winner = match outcome {
            Outcome::Tie => 0,
            Outcome::First => 1,
            Outcome::Second => 2,
        };
        writeln!(file, "{},{},{winner}", all.names()[a], all.names()[b])
            .expect("the disk has room");
    }
}

/// Peak memory of this process, in MB (Linux; 0 elsewhere).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0)
        / 1024
}

fn report<T>(repeats: usize, work: &str, mut job: impl FnMut() -> T) {
    let mut took: Vec<f64> = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        std::hint::black_box(job());
        took.push(start.elapsed().as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    println!(
        "{{\"peer\": \"guerdon\", \"work\": \"{work}\", \"s\": {:.6}, \"peak_mb\": {}}}",
        took[took.len() / 2],
        peak()
    );
}

fn from_arrays(repeats: usize, all: &Comparisons, size: &str) {
    report(repeats, &format!("bradley_terry, {size}"), || {
        fit::fit(&all.counts(), all.names(), &Options::default())
    });
    report(repeats, &format!("newman, {size}"), || {
        newman::iterate(&all.counts(), &newman::Newman::default())
    });
    report(repeats, &format!("elo, {size}"), || elo::Elo::default().run(all));
    report(repeats, &format!("pagerank, {size}"), || {
        pagerank::mass(&all.counts(), &pagerank::PageRank::default())
    });
    report(repeats, &format!("eigen, {size}"), || {
        eigen::vector(&all.counts(), &eigen::Eigen::default())
    });
    let method = BradleyTerry::default();
    report(repeats, &format!("bradley_terry with sandwich intervals and ranks, {size}"), || {
        method.rate(all, &all.counts(), 0)
    });
    report(repeats, &format!("bootstrap 100 x bradley_terry, {size}"), || {
        let (counts, options) = (all.counts(), Options::default());
        let fitted = fit::fit(&counts, all.names(), &options).expect("the arena has a fit");
        let resampler = Resampler::of_counts(&counts).expect("whole counts");
        bootstrap::strengths(&resampler, &counts, &fitted, &options, 100, 0)
            .expect("a bootstrap")
            .intervals(0.95)
    });
}

fn from_file(repeats: usize, path: &Path, size: &str) {
    let load = || {
        let data =
            read::file(path, &Columns::default()).and_then(|data| data.into_comparisons(0.0));
        data.expect("the arena can be read")
    };
    report(repeats, &format!("read, {size}"), load);
    let plain = BradleyTerry { interval: Interval::None, ..BradleyTerry::default() };
    report(repeats, &format!("file to bradley_terry, {size}"), || {
        let all = load();
        plain.rate(&all, &all.counts(), 0)
    });
    report(repeats, &format!("file to elo, {size}"), || elo::Elo::default().run(&load()));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let repeats = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(3);
    let given = arguments.get(1).map(PathBuf::from);
    let folder = std::env::temp_dir().join("guerdon-bench-rank");
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    for (models, rows) in [(20, 100_000), (100, 1_000_000), (1000, 10_000_000)] {
        let size = format!("{models} models, {rows} comparisons");
        let name = format!("arena_{models}.csv");
        let mine = folder.join(&name);
        let given = given.as_ref().map(|dir| dir.join(&name)).filter(|path| path.exists());
        if given.is_none() {
            write(&arena(models, rows, 7), &mine);
        }
        let path = given.unwrap_or(mine);
        if models < 1000 {
            let all =
                read::file(&path, &Columns::default()).and_then(|data| data.into_comparisons(0.0));
            from_arrays(repeats, &all.expect("the arena can be read"), &size);
        }
        from_file(repeats, &path, &size);
        if models == 1000 {
            report(
                1,
                &format!("file to bradley_terry with sandwich intervals and ranks, {size}"),
                || {
                    let data = read::file(&path, &Columns::default())
                        .and_then(|data| data.into_comparisons(0.0));
                    let all = data.expect("the arena can be read");
                    BradleyTerry::default().rate(&all, &all.counts(), 0)
                },
            );
        }
    }
}
