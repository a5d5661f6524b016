//! Presets and rules that the laws are put to as well.

#![allow(clippy::needless_update, reason = "every variant is written alike")]

use guerdon_core::Law;
use guerdon_core::laws::Variant;

const PLAIN: Variant = Variant { label: "", params: "{}", samples: &[], laws: &[], exempt: &[] };

/// The variants, each with the id of its method.
pub(crate) const ALL: &[(&str, Variant)] = &[
    (
        "verify.tool_call",
        Variant {
            label: "toolrl",
            params: r#"{"preset": "toolrl"}"#,
            samples: &[
                r#"{"prompt": "Weather in Paris?", "completion": "<think>x</think>\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>", "reference": [{"name": "weather", "parameters": {"city": "Paris"}}]}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.tool_call",
        Variant {
            label: "bfcl",
            params: r#"{"preset": "bfcl"}"#,
            samples: &[
                r#"{"prompt": "Weather in Paris?", "completion": "[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}]", "reference": [{"weather": {"city": ["Paris", "Paris, France"]}}], "tools": [{"name": "weather", "parameters": {"type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.verdict",
        Variant {
            label: "tail",
            params: r#"{"rule": "tail"}"#,
            samples: &[
                r#"{"prompt": "Which?", "completion": "so <answer>[[A]]</answer>", "reference": "A"}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.verdict",
        Variant {
            label: "spct",
            params: r#"{"rule": "spct"}"#,
            samples: &[
                r#"{"prompt": "Which?", "completion": "scores: [7, 6, 4]", "reference": 0}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.verdict",
        Variant {
            label: "consistency",
            params: r#"{"rule": "consistency"}"#,
            samples: &[
                r#"{"prompt": "Which?", "completion": "<think>x</think><answer>[[A]]</answer>", "reference": "A", "consistency": 1}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.verdict",
        Variant {
            label: "weighted_pairs",
            params: r#"{"rule": "weighted_pairs"}"#,
            samples: &[
                r#"{"prompt": "Score them.", "completion": "scores: [5, 3, 1]", "reference": [5, 3, 1]}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.verdict",
        Variant {
            label: "c2",
            params: r#"{"rule": "c2"}"#,
            samples: &[
                r#"{"prompt": "Which?", "completion": "<analyze>x</analyze>\n<rubric>helpful</rubric>\n<answer>A</answer>", "reference": "A", "rubric_label": "helpful"}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.format",
        Variant {
            label: "think_format",
            params: r#"{"preset": "think_format"}"#,
            samples: &[r#"{"prompt": "2 + 2?", "completion": "<think>two and two</think>4"}"#],
            ..PLAIN
        },
    ),
    (
        "verify.format",
        Variant {
            label: "open_r1",
            params: r#"{"preset": "open_r1"}"#,
            samples: &[
                r#"{"prompt": "2 + 2?", "completion": "<think>\ntwo and two\n</think>\n<answer>\n4\n</answer>"}"#,
            ],
            ..PLAIN
        },
    ),
    (
        "verify.format",
        Variant {
            label: "tag_count",
            params: r#"{"preset": "tag_count"}"#,
            samples: &[
                r#"{"prompt": "2 + 2?", "completion": "<think>\ntwo and two\n</think>\n<answer>\n4\n</answer>"}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "The published reward pays for single tags; a forged one earns its quarter.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.format",
        Variant {
            label: "reasoning_steps",
            params: r#"{"preset": "reasoning_steps"}"#,
            samples: &[
                r#"{"prompt": "2 + 2?", "completion": "First, two. Second, two. Finally, four."}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "The published reward pays for line breaks before signs, whatever stands there.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.exact_match",
        Variant {
            label: "anywhere",
            params: r#"{"scope": "anywhere"}"#,
            samples: &[
                r#"{"prompt": "Capital of France?", "completion": "It is Paris.", "reference": "Paris"}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::DegenerateEarnsNothing,
                "An answer that lists everything holds the right one; the manual says so.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.exact_match",
        Variant {
            label: "squad",
            params: r#"{"preset": "squad"}"#,
            samples: &[
                r#"{"prompt": "Capital of France?", "completion": "Paris", "reference": "Paris"}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.rouge",
        Variant {
            label: "rouge2",
            params: r#"{"variant": "rouge2", "stem": true}"#,
            samples: &[
                r#"{"prompt": "Sum up.", "completion": "The quick brown fox jumps over the lazy dog", "reference": "The quick brown fox jumps over the lazy dog"}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
    (
        "verify.rouge",
        Variant {
            label: "rouge_l_sum",
            params: r#"{"variant": "rougeLsum"}"#,
            samples: &[
                r#"{"prompt": "Sum up.", "completion": "The quick brown fox\njumps over the lazy dog", "reference": "The quick brown fox\njumps over the lazy dog"}"#,
            ],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "Common words stand in any text; the gain is their share of the overlap.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.chrf",
        Variant {
            label: "words",
            params: r#"{"word_order": 2}"#,
            samples: &[
                r#"{"prompt": "Translate.", "completion": "Le chat dort sur la table.", "reference": "Le chat dort sur la table."}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "Any text shares some letters with the reference; the gain is that share.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.bleu",
        Variant {
            label: "intl",
            params: r#"{"tokenize": "intl"}"#,
            samples: &[
                r#"{"prompt": "Translate.", "completion": "Le chat dort sur la table.", "reference": "Le chat dort sur la table."}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "Full stops stand in any text; the gain is their share of the overlap.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.bleu",
        Variant {
            label: "char",
            params: r#"{"tokenize": "char"}"#,
            samples: &[
                r#"{"prompt": "Translate.", "completion": "Le chat dort sur la table.", "reference": "Le chat dort sur la table."}"#,
            ],
            laws: &[Law::WhitespaceInvariant],
            exempt: &[(
                Law::InjectionGainsNothing,
                "Any text shares some letters with the reference; the gain is that share.",
            )],
            ..PLAIN
        },
    ),
    (
        "verify.length",
        Variant {
            label: "characters",
            params: r#"{"unit": "characters", "max": 100}"#,
            samples: &[],
            laws: &[Law::WhitespaceInvariant, Law::CaseInvariant],
            ..PLAIN
        },
    ),
];
