//! Exact comparison with scipy, statsmodels, krippendorff, rliable and adastop, on the shared golden file where present.

mod common;

use common::{Check, counts, floats, golden, table};
use guerdon_core::method::Function;
use guerdon_stats::correlation::KendallCounts;
use guerdon_stats::resample::IntervalKind;
use guerdon_stats::stats::{
    agreement, best_of_n, bootstrap, calibration, clustered_se, cochran_q, iqm, kappa, kendall,
    mcnemar, multiple, paired_test, pass_at_k, pass_k, power, proportion_ci, rank_sum, sequential,
    spearman, stratified_bootstrap,
};
use guerdon_stats::{moments, tail};
use serde_json::{Value, json};

fn file() -> Option<Value> {
    golden("stats/golden_stats.json")
}

/// Calls a function on JSON and returns its output as JSON.
fn call<F: Function>(params: &Value, input: &Value) -> Value {
    let params: F = serde_json::from_value(params.clone()).unwrap();
    let input: F::Input = serde_json::from_value(input.clone()).unwrap();
    serde_json::to_value(params.call(&input, 1).unwrap()).unwrap()
}

#[test]
fn agreement_of_raters() {
    let Some(all) = file() else { return };
    let mut check = Check::new(1e-12);
    let case = &all["cohen_kappa"];
    for (weights, key) in [("none", "unweighted"), ("linear", "linear"), ("quadratic", "quadratic")]
    {
        let out = call::<kappa::Kappa>(&json!({"weights": weights}), &case["input"]);
        check.equal(key, &out["kappa"], &case["output"][key]);
        if weights == "none" {
            check.equal("std", &out["standard_error"], &case["output"]["std_kappa"]);
            check.equal("std0", &out["standard_error_null"], &case["output"]["std_kappa0"]);
            check.equal("low", &out["interval"]["low"], &case["output"]["ci95"][0]);
            check.equal("high", &out["interval"]["high"], &case["output"]["ci95"][1]);
        }
    }
    let case = &all["fleiss_kappa"];
    let items = table(&case["input"]["ratings_items_x_raters"]);
    let raters: Vec<Vec<f64>> =
        (0..items[0].len()).map(|r| items.iter().map(|row| row[r]).collect()).collect();
    for (kind, key) in [("fleiss", "fleiss"), ("randolph", "randolph")] {
        let out = call::<agreement::Agreement>(&json!({"kind": kind}), &json!({"ratings": raters}));
        check.equal(key, &out["coefficient"], &case["output"][key]);
    }
    for name in ["krippendorff_alpha", "krippendorff_alpha_30"] {
        let case = &all[name];
        let expect = case["output"].get("krippendorff").unwrap_or(&case["output"]);
        for metric in ["nominal", "ordinal", "interval", "ratio"] {
            let input = json!({"ratings": case["input"]["ratings_raters_x_units"]});
            let out = call::<agreement::Agreement>(&json!({"metric": metric}), &input);
            check.equal(metric, &out["coefficient"], &expect[metric]);
        }
    }
    check.done(17);
}

#[test]
fn correlations() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["rank_corr"], Check::new(1e-12));
    let out = |params: Value| call::<kendall::Kendall>(&params, &case["input"]);
    check.equal("tau_b", &out(json!({}))["coefficient"], &case["output"]["kendall_tau_b"]);
    check.equal("p", &out(json!({}))["p_value"], &case["output"]["kendall_p_auto"]);
    check.equal(
        "p",
        &out(json!({"p_value": "asymptotic"}))["p_value"],
        &case["output"]["kendall_p_asymptotic"],
    );
    check.equal(
        "tau_c",
        &out(json!({"variant": "tau_c"}))["coefficient"],
        &case["output"]["kendall_tau_c"],
    );
    let d = KendallCounts::new(&floats(&case["input"]["x"]), &floats(&case["input"]["y"]))
        .unwrap()
        .somers_d();
    check.equal("somers_d", &json!(d), &case["output"]["somers_d_y_given_x"]);
    for variant in ["spearman", "pearson"] {
        let out = call::<spearman::Spearman>(&json!({"variant": variant}), &case["input"]);
        check.equal(variant, &out["coefficient"], &case["output"][variant]);
        check.close(variant, &out["p_value"], &case["output"][format!("{variant}_p")], 1e-10);
    }
    check.done(9);
}

#[test]
fn paired_and_independent_tests() {
    let Some(all) = file() else { return };
    let mut check = Check::new(1e-10);
    for name in ["mcnemar", "mcnemar_small"] {
        let case = &all[name];
        let cells = &case["input"]["table"];
        let (b, c) = (counts(&cells[0])[1], counts(&cells[1])[0]);
        let kinds = [
            (mcnemar::Kind::Exact, "exact_p", "exact_stat"),
            (mcnemar::Kind::Corrected, "chi2_cc_p", "chi2_cc"),
            (mcnemar::Kind::Chi2, "chi2_p", "chi2"),
            (mcnemar::Kind::MidP, "mid_p", ""),
        ];
        for (kind, p, statistic) in kinds {
            let out = mcnemar::mcnemar(b, c, kind);
            check.given(p, out.p_value, &case["output"][p]);
            check.given(statistic, out.statistic, &case["output"][statistic]);
        }
    }
    let case = &all["cochran_q"];
    let rows: Vec<Vec<bool>> = table(&case["input"]["x"])
        .iter()
        .map(|row| row.iter().map(|x| *x == 1.0).collect())
        .collect();
    let out = cochran_q::cochran_q(&rows).unwrap();
    check.given("Q", out.statistic, &case["output"]["Q"]);
    check.given("p", out.p_value, &case["output"]["p"]);
    let case = &all["paired"];
    let of = |kind: &str| call::<paired_test::PairedTest>(&json!({"kind": kind}), &case["input"]);
    let expect = &case["output"];
    check.equal("W", &of("wilcoxon")["statistic"], &expect["wilcoxon_W"]);
    check.equal("W p", &of("wilcoxon")["p_value"], &expect["wilcoxon_p"]);
    check.equal("t", &of("t")["statistic"], &expect["ttest_t"]);
    check.equal("t p", &of("t")["p_value"], &expect["ttest_p"]);
    check.equal("flip", &of("sign_flip")["p_value"], &expect["signflip_exact_two_sided_p"]);
    check.equal("mean", &of("t")["mean_difference"], &expect["mean_diff"]);
    check.equal("se", &of("t")["standard_error"], &expect["se_paired"]);
    check.equal("unpaired", &of("t")["standard_error_unpaired"], &expect["se_unpaired"]);
    let (a, b) = (floats(&case["input"]["a"]), floats(&case["input"]["b"]));
    let out = rank_sum::rank_sum(&a, &b).unwrap();
    check.given("U", out.u, &expect["mannwhitney_U"]);
    check.given("U p", out.p_value, &expect["mannwhitney_p"]);
    check.given("delta", out.cliffs_delta, &expect["cliffs_delta"]);
    check.done(21);
}

#[test]
fn errors_and_intervals() {
    let Some(all) = file() else { return };
    let mut check = Check::new(1e-10);
    let case = &all["clustered_se"];
    let values = floats(&case["input"]["score"]);
    let cluster: Vec<usize> =
        counts(&case["input"]["cluster"]).iter().map(|c| usize::try_from(*c).unwrap()).collect();
    let se = |correction| clustered_se::clustered_se(&values, &cluster, correction).unwrap();
    check.given("mean", moments::mean(&values), &case["output"]["mean"]);
    check.given(
        "naive",
        moments::standard_error(&values).unwrap(),
        &case["output"]["naive_se_ddof1"],
    );
    check.given("plain", se(false), &case["output"]["cluster_se_no_correction"]);
    check.given("corrected", se(true), &case["output"]["cluster_se_statsmodels_correction"]);
    let kinds = [
        ("wilson", "wilson"),
        ("beta", "clopper_pearson"),
        ("agresti_coull", "agresti_coull"),
        ("jeffreys", "jeffreys"),
        ("normal", "wald"),
    ];
    for name in ["proportion_ci", "proportion_ci_edge"] {
        let case = &all[name];
        for (key, kind) in kinds {
            let input = json!({"k": case["input"]["k"], "n": case["input"]["n"]});
            let out = call::<proportion_ci::ProportionCi>(&json!({"kind": kind}), &input);
            check.present(key, &out["interval"]["low"], &case["output"][key][0]);
            check.present(key, &out["interval"]["high"], &case["output"][key][1]);
        }
    }
    check.done(22);
}

#[test]
fn planning_and_multiple_comparisons() {
    let Some(all) = file() else { return };
    let mut check = Check::new(1e-12);
    let case = &all["multipletests"];
    let kinds = [
        ("bonferroni", "bonferroni"),
        ("holm", "holm"),
        ("hommel", "hommel"),
        ("bh", "fdr_bh"),
        ("by", "fdr_by"),
        ("holm_sidak", "holm-sidak"),
    ];
    for (kind, key) in kinds {
        let out = call::<multiple::Multiple>(
            &json!({"kind": kind}),
            &json!({"p_values": case["input"]["p"]}),
        );
        for (got, expect) in floats(&out["adjusted"]).iter().zip(floats(&case["output"][key])) {
            check.given(key, *got, &json!(expect));
        }
    }
    let expect = &all["power"]["output"];
    let of = |kind: &str, input: Value| call::<power::Power>(&json!({"kind": kind}), &input);
    let arms = json!({"p1": 0.55, "p2": 0.6});
    check.given("h", power::cohen_h(0.55, 0.6), &expect["cohen_h"]);
    check.close("arcsine", &of("two_proportions", arms)["n"], &expect["n_per_arm_arcsine"], 1e-6);
    check.close(
        "paired",
        &of("paired_t", json!({"effect": 0.2}))["n"],
        &expect["n_paired_t_d02"],
        1e-6,
    );
    check.close(
        "independent",
        &of("independent_t", json!({"effect": 0.2}))["n"],
        &expect["n_ind_t_d02"],
        1e-6,
    );
    let at = json!({"p1": 0.55, "p2": 0.6, "n": 1500});
    check.close("power", &of("two_proportions", at)["power"], &expect["power_ind_n1500"], 1e-9);
    let connor = of("mcnemar", json!({"p10": 0.12, "p01": 0.08}));
    check.close("connor", &connor["n"], &all["mcnemar_samplesize"]["output"]["n_connor"], 1e-9);
    check.done(66);
}

#[test]
fn probabilities() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["calibration"], Check::new(1e-12));
    let input = json!({"probabilities": case["input"]["p"], "outcomes": case["input"]["y"]});
    let out = call::<calibration::Calibration>(&json!({}), &input);
    let keys = [
        ("ece", "ece_equal_width"),
        ("mce", "mce_equal_width"),
        ("brier", "brier"),
        ("brier", "brier_sklearn"),
        ("reliability", "reliability"),
        ("resolution", "resolution"),
        ("uncertainty", "uncertainty"),
        ("within_bin_variance", "within_bin_var"),
        ("within_bin_covariance", "within_bin_cov"),
        ("log_loss", "log_loss"),
        ("auroc", "auc"),
    ];
    for (own, key) in keys {
        check.equal(key, &out[own], &case["output"][key]);
    }
    let mass = call::<calibration::Calibration>(&json!({"binning": "equal_mass"}), &input);
    check.equal("mass", &mass["ece"], &case["output"]["ece_equal_mass"]);
    check.done(12);
}

#[test]
fn repeated_samples() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["pass_at_k"], Check::new(1e-12));
    let ks = counts(&case["input"]["k"]);
    let pairs: Vec<Vec<u64>> =
        case["input"]["n_c"].as_array().unwrap().iter().map(counts).collect();
    for (row, pair) in pairs.iter().enumerate() {
        let (n, c) = (pair[0], pair[1]);
        for (column, k) in ks.iter().enumerate() {
            let expect = |key: &str| case["output"][key][row][column].clone();
            check.given("pass@k", pass_at_k::pass_at_k(n, c, *k).unwrap(), &expect("pass_at_k"));
            check.given("pass^k", pass_k::pass_hat_k(n, c, *k).unwrap(), &expect("pass_hat_k"));
        }
    }
    let (n, c): (Vec<u64>, Vec<u64>) = pairs[..5].iter().map(|p| (p[0], p[1])).unzip();
    let out = call::<pass_at_k::PassAtK>(&json!({"k": [1, 2, 5, 10]}), &json!({"n": n, "c": c}));
    for i in 0..4 {
        check.equal("mean", &out["at"][i]["mean"], &case["output"]["mean_pass_at_k_first5"][i]);
    }
    // The last pair of the file is k = 100 on n = 200, c = 37, relative to its size.
    check.given(
        "k100",
        pass_at_k::pass_at_k(200, 37, 100).unwrap_or(0.0),
        &case["output"]["k100"][0],
    );
    let case = &all["best_of_k"];
    let out = call::<best_of_n::BestOfN>(
        &json!({"k": case["output"]["k"]}),
        &json!({"scores": case["input"]["rewards"]}),
    );
    for i in 0..5 {
        check.equal("max", &out["curve"][i]["best"], &case["output"]["expected_max"][i]);
        check.equal("min", &out["curve"][i]["worst"], &case["output"]["expected_min"][i]);
    }
    check.done(7 * 4 * 2 + 4 + 1 + 10);
}

#[test]
fn tails() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["cvar"], Check::new(1e-12));
    let losses = floats(&case["input"]["loss"]);
    for (alpha, var, cvar) in
        [(0.95, "var95", "cvar95"), (0.97, "var97", "cvar97"), (0.9251, "", "cvar_925")]
    {
        let out = tail::var_cvar(&losses, alpha).unwrap();
        check.present(var, &json!(out.0), &case["output"][var]);
        check.given(cvar, out.1, &case["output"][cvar]);
    }
    let rewards: Vec<f64> = losses.iter().map(|l| -l).collect();
    check.given("mirror", -tail::lower_cvar(&rewards, 0.05).unwrap(), &case["output"]["cvar95"]);
    check.given(
        "lower",
        tail::lower_cvar(&losses, 0.05).unwrap(),
        &case["output"]["lower_tail_cvar05_of_reward"],
    );
    check.done(7);
}

#[test]
fn runs_by_tasks() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["rliable"], Check::new(1e-10));
    let (scores, baseline) =
        (table(&case["input"]["scores_runs_x_tasks"]), table(&case["input"]["scores_b"]));
    let input = json!({"scores": scores, "baseline": baseline});
    let out = call::<iqm::Iqm>(&json!({"gamma": 50.0}), &input);
    for (i, key) in ["iqm", "mean", "median", "optimality_gap"].iter().enumerate() {
        check.equal(key, &out[*key], &case["output"]["point"][i]);
        let params = json!({"statistic": key, "gamma": 50.0, "rounds": 8_000});
        let out = call::<stratified_bootstrap::StratifiedBootstrap>(&params, &input);
        check.close(
            key,
            &out["interval"]["low"],
            &case["output"]["ci95_percentile_50k_seed0"][0][i],
            0.2,
        );
        check.close(
            key,
            &out["interval"]["high"],
            &case["output"]["ci95_percentile_50k_seed0"][1][i],
            0.2,
        );
    }
    check.equal(
        "improvement",
        &out["probability_of_improvement"],
        &case["output"]["prob_improvement"][0],
    );
    // The estimate moves in steps of 1/480, and the file's interval comes from far fewer rounds.
    let params = json!({"statistic": "probability_of_improvement", "rounds": 5_000});
    let out = call::<stratified_bootstrap::StratifiedBootstrap>(&params, &input);
    check.close(
        "low",
        &out["interval"]["low"],
        &case["output"]["prob_improvement_ci95"][0][0],
        0.01,
    );
    check.close(
        "high",
        &out["interval"]["high"],
        &case["output"]["prob_improvement_ci95"][1][0],
        0.01,
    );
    let case = &all["iqm_odd"];
    let x = floats(&case["input"]["x"]);
    check.given("shipped", iqm::iqm(&x, iqm::Kind::Shipped), &case["output"]["scipy_trim_mean_25"]);
    check.given(
        "fractional",
        iqm::iqm(&x, iqm::Kind::Fractional),
        &case["output"]["fractional_iqm"],
    );
    check.done(17);
}

#[test]
fn bootstrap_intervals() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["bootstrap_mean"], Check::new(0.02));
    let x = floats(&case["input"]["x"]);
    let kinds = [
        (IntervalKind::Percentile, "percentile"),
        (IntervalKind::Basic, "basic"),
        (IntervalKind::Bca, "BCa"),
    ];
    for (kind, key) in kinds {
        let params = bootstrap::Bootstrap { kind, rounds: 20_000, ..Default::default() };
        let interval = bootstrap::bootstrap(&x, &[], &params, 1).unwrap().interval.unwrap();
        check.given(key, interval.low, &case["output"][key][0]);
        check.given(key, interval.high, &case["output"][key][1]);
    }
    check.done(6);
}

#[test]
fn sequential_comparison() {
    let Some(all) = file() else { return };
    let (case, mut check) = (&all["adastop"], Check::new(0.0));
    let learners: Vec<sequential::Learner> = ["A", "B", "C"]
        .iter()
        .map(|name| sequential::Learner {
            name: (*name).to_owned(),
            scores: floats(&case["input"]["evals"][name]),
        })
        .collect();
    let params = sequential::Sequential {
        alpha: 0.05,
        statistic: sequential::Statistic::Shipped,
        ..Default::default()
    };
    for k in 1..=5 {
        let seen: Vec<_> = learners
            .iter()
            .map(|l| sequential::Learner {
                name: l.name.clone(),
                scores: l.scores[..5 * k].to_vec(),
            })
            .collect();
        let out = params.compare(&seen, 42).unwrap();
        let step = &case["output"]["steps"][k - 1];
        for (i, pair) in ["[0 1]", "[0 2]", "[1 2]"].iter().enumerate() {
            let verdict = serde_json::to_value(out.decisions[i].verdict).unwrap();
            check.same(pair, &verdict, &step["decisions"][pair]);
        }
        // The first boundary is enumerated (the file has four digits); the others are sampled from some 250.
        let tolerance = if k == 1 { 1e-3 } else { 0.35 };
        check.close("boundary", &json!(out.boundaries[k - 1]), &step["boundary"][1], tolerance);
    }
    check.done(20);
}
