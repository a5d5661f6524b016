//! Parsers of structured outputs and their notations: the first byte chooses one, the rest is its text (what needs two texts
//! cuts it at the first NUL).
#![no_main]

use guerdon_verify::verify::{action, arithmetic, grammar, json_schema, knights, lean, logic_step, smt, sql, yaml};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let (a, b) = text.split_once('\0').unwrap_or((&text, &text));
    match choice % 11 {
        0 => {
            // A schema and a value: the verdict and the explanation agree.
            let (Some(schema), Some(value)) = (json(a), json(b)) else { return };
            let Ok(validator) = json_schema::Validator::new(&schema) else { return };
            if let Ok(fault) = validator.fault(&value) {
                assert_eq!(fault.is_none(), validator.is_valid(&value));
            }
        }
        1 => {
            let options = json_schema::Compile { formats: true, ..Default::default() };
            let schema = serde_json::json!({"pattern": a, "format": b});
            if let Ok(validator) = options.compile(&schema) {
                validator.is_valid(&Value::from(b));
            }
        }
        2 => {
            if let Ok(grammar) = grammar::Grammar::compile(a, "root") {
                let _ = grammar.fault(b, 50_000);
            }
        }
        3 => {
            let _ = yaml::value(&text);
        }
        4 => {
            // Reading alone where the query does not run; a small database where it does.
            let sql = sql::Sql::default();
            let setup = "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL)";
            let sql = sql::Sql { budget: sql::Budget { steps: 20_000, ..sql.budget.clone() }, ..sql };
            let _ = sql.compare(a, b, &[setup]);
        }
        5 => {
            let _ = action::read(&text);
        }
        6 => {
            let statements = json(a).unwrap_or_else(|| Value::from(a));
            if let Ok(puzzle) = knights::read(&statements, &[], ["knight", "knave"]) {
                let names = puzzle.names.clone();
                let _ = knights::Knights::default().right(b, &names, &vec![true; names.len()]);
                puzzle.solve();
            }
        }
        7 => {
            let (premises, steps): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
            let _ = logic_step::check(&premises, &steps, 10_000);
        }
        8 => {
            arithmetic::Arithmetic { rounding: true, ..Default::default() }.equations(&text);
        }
        9 => {
            let _ = smt::compose_model(a, b);
        }
        _ => {
            let _ = lean::compose("", a, b, &[]);
        }
    }
});
