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
