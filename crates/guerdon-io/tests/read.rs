//! What is read from good data: columns, shapes, groups, batches.

mod common;

use common::{batches, input, read, read_with, reader};
use guerdon_core::Text;
use guerdon_io::ReadOptions;
use serde_json::{Value, json};

#[test]
fn usual_names_are_found() {
    let rollouts =
        read(r#"{"question": "q", "response": "r", "gold": 3, "uid": 7, "id": "a", "extra": [1]}"#);
    let [rollout] = &rollouts[..] else { panic!() };
    assert_eq!(
        (rollout.prompt.last(), rollout.text(), rollout.reference.clone()),
        ("q", "r", json!(3))
    );
    assert_eq!((rollout.group.as_str(), rollout.id.as_str()), ("7", "a"));
    assert_eq!(Value::Object(rollout.columns.clone())["extra"], json!([1]));
}

#[test]
fn columns_keep_their_order() {
    let rollouts = read(r#"{"z": 1, "completion": "", "a": 2}"#);
    assert_eq!(rollouts[0].columns.keys().collect::<Vec<_>>(), ["z", "completion", "a"]);
}

#[test]
fn a_dotted_path_leads_into_objects_and_lists() {
    let map = json!({"completion": "out.0.text", "reference": "a.b"});
    let text = r#"{"out": [{"text": "yes"}], "a.b": 1, "a": {"b": 2}}"#;
    let rollouts = read_with(text, map, &ReadOptions::default()).unwrap();
    assert_eq!((rollouts[0].text(), &rollouts[0].reference), ("yes", &json!(1)));
}

fn sizes(text: &str, map: Value, rows: usize) -> Vec<Vec<usize>> {
    let input = input("rollouts.jsonl", text);
    let mut reader = reader(&input.path, map, &ReadOptions::default()).unwrap();
    let batches = batches(&mut reader, rows).unwrap();
    batches.iter().map(|b| b.groups.iter().map(|range| range.len()).collect()).collect()
}

#[test]
fn batches_end_where_groups_end() {
    let text: String = ["a", "a", "a", "b", "b", "c"]
        .map(|g| format!("{{\"completion\": \"x\", \"group\": \"{g}\"}}\n"))
        .concat();
    assert_eq!(sizes(&text, json!({}), 1), [vec![3], vec![2], vec![1]]);
    assert_eq!(sizes(&text, json!({}), 4), [vec![3, 2], vec![1]]);
    assert_eq!(sizes(&text, json!({}), 100), [vec![3, 2, 1]]);
}

#[test]
fn neighbours_with_equal_prompts_form_a_group() {
    let text: String = ["p", "p", "q"]
        .map(|p| format!("{{\"prompt\": \"{p}\", \"completion\": \"x\"}}\n"))
        .concat();
    assert_eq!(sizes(&text, json!({}), 100), [vec![2, 1]]);
    let groups: Vec<_> = read(&text).into_iter().map(|r| r.group).collect();
    assert_eq!(groups, ["0", "0", "2"]);
}

#[test]
fn without_prompt_and_group_each_row_stands_alone() {
    assert_eq!(
        sizes("{\"completion\": \"x\"}\n{\"completion\": \"x\"}", json!({}), 9),
        [vec![1, 1]]
    );
}

#[test]
fn openai_conversations_are_split_at_the_last_answer() {
    let text = r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}]}"#;
    let rollouts = read(text.replace('\n', ""));
    assert_eq!(rollouts[0].prompt.messages().len(), 1);
    let Text::Chat(messages) = &rollouts[0].completion else { panic!() };
    assert_eq!(
        (messages[0].content.as_str(), &rollouts[0].tool_calls),
        ("", &messages[0].tool_calls)
    );
    assert_eq!(
        (rollouts[0].tool_calls[0].name.as_str(), &rollouts[0].tool_calls[0].arguments),
        ("f", &json!({"x": 1}))
    );
}

/// A conversation: its messages as role and content.
fn said(text: &Text) -> Vec<(&str, &str)> {
    text.messages().iter().map(|m| (m.role.as_str(), m.content.as_str())).collect()
}

fn one(row: &Value, map: Value) -> guerdon_core::Rollout {
    read_with(row.to_string(), map, &ReadOptions::default()).unwrap().remove(0)
}

#[test]
fn trl_rows_of_messages() {
    let row = json!({"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}],
        "solution": "s", "output": "not this"});
    let rollout = one(&row, json!({"preset": "trl"}));
    assert_eq!(
        (said(&rollout.prompt), said(&rollout.completion)),
        (vec![("user", "q")], vec![("assistant", "a")])
    );
    assert_eq!(rollout.reference, json!("s"));
}

#[test]
fn verl_rows() {
    let row = json!({"data_source": "gsm8k", "prompt": [{"role": "user", "content": "q"}], "solution_str": "a",
        "reward_model": {"style": "rule", "ground_truth": "72"}, "extra_info": {"index": 5, "split": "train"}});
    let rollout = one(&row, json!({"preset": "verl"}));
    assert_eq!((said(&rollout.prompt), rollout.text()), (vec![("user", "q")], "a"));
    assert_eq!((rollout.reference, rollout.group.as_str()), (json!("72"), "5"));
}

#[test]
fn openai_rows_of_several_turns() {
    let turn = |role: &str, content: &str| json!({"role": role, "content": content});
    let row = json!({"messages": [turn("user", "1"), turn("assistant", "2"), turn("user", "3"), turn("assistant", "4"),
        turn("user", "5")], "completion": "not this"});
    let rollout = one(&row, json!({"preset": "openai"}));
    assert_eq!(said(&rollout.prompt), [("user", "1"), ("assistant", "2"), ("user", "3")]);
    assert_eq!((rollout.text(), rollout.turns.len()), ("4", 5));
}

#[test]
fn content_in_parts_is_joined() {
    let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, "b"]);
    let row = json!({"completion": [{"role": "assistant", "content": parts}]});
    assert_eq!(one(&row, json!({})).text(), "a\nb");
}

#[test]
fn arguments_that_are_no_json_object_stay_text() {
    let row = json!({"completion": "", "tool_calls": [{"name": "f", "arguments": "{x"}, {"name": "g", "arguments": {"y": 1}}]});
    let calls = one(&row, json!({})).tool_calls;
    assert_eq!(
        (calls[0].arguments.clone(), calls[1].arguments.clone()),
        (json!("{x"), json!({"y": 1}))
    );
}

#[test]
fn everything_else_that_is_known_of_a_rollout() {
    let row = json!({"completion": "", "steps": ["a", {"text": "b", "label": true}], "tokens": [5, 6, 7],
        "logprobs": [-0.5, 0], "ref_logprobs": [-1, -2.5], "confidence": 0.5, "turns": [{"role": "user", "content": null}]});
    let rollout = one(&row, json!({}));
    let labels: Vec<_> = rollout.steps.iter().map(|s| (s.text.as_str(), s.label)).collect();
    assert_eq!(labels, [("a", None), ("b", Some(1.0))]);
    let logprobs = rollout.logprobs.unwrap();
    assert_eq!((logprobs.policy, logprobs.reference), (vec![-0.5, 0.0], vec![-1.0, -2.5]));
    assert_eq!((rollout.tokens, rollout.confidence, rollout.turns.len()), (Some(3), Some(0.5), 1));
}

#[test]
fn what_is_not_mapped_and_of_another_type_is_not_known() {
    let rows =
        "{\"completion\": \"x\", \"tokens\": 3}\n{\"completion\": \"x\", \"tokens\": \"many\"}";
    let tokens: Vec<_> = read(rows).into_iter().map(|r| r.tokens).collect();
    assert_eq!(tokens, [Some(3), None]);
}

#[test]
fn a_column_that_begins_with_nulls_is_found() {
    let rows = "{\"completion\": \"x\", \"gold\": null}\n{\"completion\": \"x\", \"gold\": 4.5}";
    let references: Vec<_> = read(rows).into_iter().map(|r| r.reference).collect();
    assert_eq!(references, [json!(null), json!(4.5)]);
}

#[test]
fn a_reference_keeps_its_type() {
    for reference in
        [json!(3), json!(0.1), json!("3"), json!(true), json!(["a", 2]), json!({"a": 1})]
    {
        assert_eq!(
            one(&json!({"completion": "x", "answer": reference}), json!({})).reference,
            reference
        );
    }
}

#[test]
fn a_column_serves_one_purpose() {
    let row = json!({"prompt": "q", "answer": "the completion", "label": "the reference"});
    let rollout = one(&row, json!({"completion": "answer"}));
    assert_eq!((rollout.text(), &rollout.reference), ("the completion", &json!("the reference")));
}

#[test]
fn skipping_ahead_equals_reading_on() {
    let text = common::lines(100, |i| format!("{{\"completion\": \"{i}\", \"group\": {}}}", i / 4));
    let input = input("rollouts.jsonl", text);
    let open = || reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
    let mut whole = open();
    let done = whole.next_batch(30).unwrap().unwrap().rollouts.len() as u64;
    let mut ahead = open();
    ahead.skip_to(done).unwrap();
    assert_eq!((done, ahead.next_batch(7).unwrap()), (32, whole.next_batch(7).unwrap()));
}

#[test]
fn batches_do_not_depend_on_chunks() {
    let text =
        common::lines(20_000, |i| format!("{{\"completion\": \"{i}\", \"group\": {}}}", i / 7));
    let input = input("rollouts.jsonl", text);
    let all = |rows| {
        let mut reader = reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
        batches(&mut reader, rows).unwrap()
    };
    let sizes: Vec<_> = all(1000).iter().map(|b| b.rollouts.len()).collect();
    assert_eq!(sizes[..19], [1001; 19]);
    let joined: Vec<_> = all(1000).into_iter().flat_map(|b| b.rollouts).collect();
    assert_eq!(joined, all(20_000).remove(0).rollouts);
}

#[test]
fn progress_ends_at_the_length_of_the_file() {
    let input = input("rollouts.jsonl", "{\"completion\": \"x\"}\n".repeat(100));
    let mut reader = reader(&input.path, json!({}), &ReadOptions::default()).unwrap();
    batches(&mut reader, 10).unwrap();
    assert_eq!((reader.progress().bytes, reader.progress().total), (2000, Some(2000)));
}

#[test]
fn concatenated_gzip_and_zstd_files_are_read_to_the_end() {
    let part = b"{\"completion\": \"x\"}\n";
    let zstd = zstd::encode_all(&part[..], 0).unwrap();
    let mut gzip = flate2::read::GzEncoder::new(&part[..], flate2::Compression::fast());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut gzip, &mut bytes).unwrap();
    assert_eq!((read(zstd.repeat(2)).len(), read(bytes.repeat(3)).len()), (2, 3));
}

#[test]
fn rows_without_a_completion_where_none_is_needed() {
    let options = ReadOptions { needs_completion: false, ..ReadOptions::default() };
    let read = |row: &Value| read_with(row.to_string(), json!({}), &options).unwrap().remove(0);
    assert_eq!(read(&json!({"gold": 1})).text(), "");
    assert_eq!(read(&json!({"gold": 1, "completion": null})).text(), "");
    let rollout = read(&json!({"messages": [{"role": "user", "content": "q"}]}));
    assert_eq!((rollout.prompt.last(), rollout.text()), ("q", ""));
}
