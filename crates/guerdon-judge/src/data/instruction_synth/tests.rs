use super::{InstructionSynth, Made, Seed, consistent, purity_and_yield};
use crate::scripted::{SEED, protocol, text};
use guerdon_core::Unscored;
use guerdon_core::seed::stream;
use rand::RngExt as _;

/// A world in which the constraints are these, a model calls them contradictory or not, and responses get these answers.
fn run(constraints: &str, verdict: &str, answers: &[&str]) -> Result<Made, Unscored> {
    let responses = u32::try_from(answers.len()).unwrap();
    let own =
        InstructionSynth { responses, responder: Some("r".into()), ..InstructionSynth::default() };
    protocol(&own, &Seed::default(), SEED, |request| {
        let shown = text(request);
        if request.model.is_some() {
            return format!("response number {}", request.sample);
        }
        let has = |words: &str| shown.contains(words);
        if has("fill in these slots") {
            "1. bees\n2. advice\n3. a hive in winter".into()
        } else if has("Write the request as the person") {
            "How do I get my bees through the winter?".into()
        } else if has("No two may contradict") {
            constraints.into()
        } else if has("Can one response meet") {
            format!("[[{verdict}]]")
        } else if has("Change or leave out as few") {
            "1. Be brief.".into()
        } else if has("Cut it into atomic criteria") {
            "1. a?\n2. b?\n3. c?\n4. d?\n5. e?".into()
        } else {
            let k = (0..answers.len()).find(|k| has(&format!("response number {k}"))).unwrap();
            let words = answers[k].chars().map(|c| if c == '+' { "YES" } else { "NO" });
            words.enumerate().map(|(n, word)| format!("{}. {word}\n", n + 1)).collect()
        }
    })
}

#[test]
fn four_of_five_is_not_enough() {
    let made = run("1. Be kind.\n2. Use 3 sentences.", "possible", &["+++++", "++-++"]).unwrap();
    assert_eq!(made.accepted, ["response number 0"]);
    assert_eq!(made.rejected[0].failed, [2]);
    assert_eq!(
        made.instruction,
        "How do I get my bees through the winter?\n\n- Be kind.\n- Use 3 sentences."
    );
    assert_eq!(made.meta[2], "a hive in winter");
}

#[test]
fn contradictions_are_left_out_or_resolved() {
    let planted = "1. Use at most 50 words.\n2. Write 3 paragraphs of 40 words.\n3. Be kind.";
    let made = run(planted, "possible", &["+++++"]).unwrap();
    assert_eq!(made.constraints, ["Use at most 50 words.", "Be kind."]);
    assert_eq!(made.contradictions, ["Write 3 paragraphs of 40 words."]);
    let made = run("1. Be brief.\n2. Tell everything.", "contradictory", &["+++++"]).unwrap();
    assert_eq!(
        (made.constraints, made.contradictions),
        (vec!["Be brief.".into()], vec!["Tell everything.".into()])
    );
    let (kept, out) = consistent(vec![String::new()]);
    assert_eq!((kept.len(), out.len()), (1, 0));
}

#[test]
fn atomic_validation_keeps_its_purity() {
    for (criteria, expect) in [(3, 0.857), (5, 0.774), (8, 0.663)] {
        let (purity, passed) = purity_and_yield(0.6, 0.95, 0.2, criteria);
        assert!((purity - 0.877).abs() < 5e-4, "{purity}");
        assert!((passed - expect).abs() < 5e-4, "{passed}");
    }
    let (holistic, _) = purity_and_yield(0.6, 0.85, 0.4, 1);
    assert!((holistic - 0.761).abs() < 5e-4, "{holistic}");
}

#[test]
fn simulated_judges_agree_with_the_closed_form() {
    let mut rng = stream(2, "instructions");
    for criteria in [3, 5, 8] {
        let (mut good, mut bad) = (0.0, 0.0);
        for _ in 0..40_000 {
            let flaw = rng.random_bool(0.4).then_some(0);
            let rate = |k: usize| if flaw == Some(k) { 0.2 } else { 0.95 };
            if (0..criteria).all(|k| rng.random_bool(rate(k))) {
                if flaw.is_none() { good += 1.0 } else { bad += 1.0 }
            }
        }
        let purity = good / (good + bad);
        assert!((purity - 0.877_f64).abs() < 0.01, "{criteria}: {purity}");
    }
}
