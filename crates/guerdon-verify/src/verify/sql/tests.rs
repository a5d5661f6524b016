use std::time::Instant;

use super::{Columns, Empty, Order, Sql};
use guerdon_core::method::Signal as _;
use guerdon_core::{Rollout, UnscoredKind};
use serde_json::json;

const SHOP: &str = "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, price REAL, kind TEXT);
    INSERT INTO p VALUES (1, 'pen', 1.5, 'a'), (2, 'ink', 3.0, 'a'), (3, 'pad', 3.0, 'b'), (4, 'cap', NULL, 'b');";

fn check_with(params: &Sql, gold: &str, query: &str, expect: bool) {
    let got = params.compare(gold, query, &[SHOP]).unwrap();
    assert_eq!(got.is_none(), expect, "{gold} / {query}: {got:?}");
}

fn check(gold: &str, query: &str, expect: bool) {
    check_with(&Sql::default(), gold, query, expect);
}

#[test]
fn multisets_of_rows() {
    check("SELECT kind FROM p", "SELECT kind FROM p ORDER BY kind DESC", true);
    check("SELECT kind FROM p", "SELECT DISTINCT kind FROM p", false);
    check("SELECT price FROM p WHERE id = 4", "SELECT NULL", true);
    check("SELECT price FROM p WHERE id = 4", "SELECT 0", false);
    check("SELECT avg(price) FROM p", "SELECT 2.5000000001", true);
    check("SELECT avg(price) FROM p", "SELECT 2.51", false);
    check("SELECT name FROM p", "SELECT name, id FROM p", false);
    check("SELECT id FROM p WHERE id = 1", "SELECT '1'", false);
    let sets = Sql { duplicates: false, order: Order::Never, ..Sql::default() };
    check_with(
        &sets,
        "SELECT kind FROM p ORDER BY id",
        "SELECT DISTINCT kind FROM p ORDER BY 1 DESC",
        true,
    );
}

#[test]
fn orders_count_where_the_reference_has_one() {
    check("SELECT name FROM p ORDER BY id", "SELECT name FROM p ORDER BY id DESC", false);
    check("SELECT name FROM p ORDER BY id", "SELECT name FROM p", true);
    check(
        "SELECT name FROM (SELECT * FROM p ORDER BY id)",
        "SELECT name FROM p ORDER BY id DESC",
        true,
    );
}

#[test]
fn ties_are_open() {
    let gold = "SELECT name FROM p ORDER BY price DESC";
    check(gold, "SELECT name FROM p ORDER BY price DESC, name DESC", true);
    check(gold, "SELECT name FROM p ORDER BY price DESC, name", true);
    check(gold, "SELECT name FROM p ORDER BY price", false);
    let first = "SELECT name FROM p ORDER BY price DESC LIMIT 1";
    check(first, "SELECT 'ink'", true);
    check(first, "SELECT 'pad'", true);
    check(first, "SELECT 'pen'", false);
    let second = "SELECT name FROM p ORDER BY price DESC LIMIT 2 OFFSET 1";
    check(second, "VALUES ('ink'), ('pen')", true);
    check(second, "VALUES ('pad'), ('pen')", true);
    check(second, "VALUES ('pen'), ('pad')", false);
    check(
        "SELECT kind, count(*) AS n FROM p GROUP BY kind ORDER BY n LIMIT 1",
        "SELECT 'b', 2",
        true,
    );
    check("SELECT kind FROM p GROUP BY kind ORDER BY count(*) LIMIT 1", "SELECT 'b'", true);
    check("SELECT name FROM p LIMIT 2", "SELECT name FROM p WHERE kind = 'b'", true);
    check("SELECT name FROM p LIMIT 2", "SELECT 'x' FROM p LIMIT 2", false);
    let strict = Sql { ties: false, ..Sql::default() };
    check_with(&strict, first, "SELECT 'pad'", false);
}

#[test]
fn columns_may_be_permuted() {
    check("SELECT id, name FROM p", "SELECT name, id FROM p", false);
    let params = Sql { columns: Columns::Permuted, ..Sql::default() };
    check_with(&params, "SELECT id, name FROM p", "SELECT name, id FROM p", true);
    check_with(&params, "SELECT id, name FROM p", "SELECT name, 5 - id FROM p", false);
}

#[test]
fn every_database_counts() {
    let other = "CREATE TABLE p(id, name, price, kind); INSERT INTO p VALUES (9, 'x', 1, 'a')";
    let got = Sql::default().compare("SELECT count(*) FROM p", "SELECT 4", &[SHOP, other]).unwrap();
    assert_eq!(got.as_deref(), Some("database 2: another result"));
}

#[test]
fn attacks_earn_nothing_and_end_soon() {
    let bomb = |n: usize| {
        let mut text = String::from("WITH a0 AS (SELECT 1 AS x UNION ALL SELECT 2)");
        for i in 1..n {
            text.push_str(&format!(", a{i} AS (SELECT l.x FROM a{} l, a{} r)", i - 1, i - 1));
        }
        format!("{text} SELECT count(*) FROM a{}", n - 1)
    };
    let big = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";
    for query in [
        "SELECT zeroblob(1000000000)",
        "SELECT hex(zeroblob(65000))",
        "SELECT randomblob(10)",
        "SELECT random()",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT replace(hex(zeroblob(30000)), '0', hex(zeroblob(30000)))",
        &format!("{big} SELECT count(*) FROM c"),
        &format!("{big} SELECT x FROM c ORDER BY x DESC"),
        &format!("{big} SELECT zeroblob(60000) FROM c ORDER BY x % 7"),
        &format!("{big} SELECT instr(zeroblob(60000), zeroblob(30000) || x'01') FROM c"),
        &format!("{big} SELECT group_concat(x) FROM c"),
        &format!("{big} SELECT x FROM c"),
        "SELECT count(*) FROM p a, p b, p c, p d, p e, p f, p g, p h, p i, p j, p k, p l, p m, p n",
        &bomb(6),
        &bomb(14),
        &bomb(40),
        "ATTACH 'x.db' AS x",
        "PRAGMA user_version = 5",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('p')",
        "SELECT * FROM dbstat",
        "SELECT value FROM generate_series(1, 1000000000)",
        "SELECT load_extension('x')",
        "SELECT writefile('x', 'y')",
        "SELECT readfile('/etc/passwd')",
        "DELETE FROM p",
        "INSERT INTO p(name) VALUES ('x') RETURNING name",
        "CREATE TABLE q(a)",
        "DROP TABLE p",
        "VACUUM INTO 'x.db'",
        "EXPLAIN SELECT 1",
        "WITH x AS (SELECT 1) DELETE FROM p",
        "BEGIN",
        &format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        &format!("SELECT {}1", "-".repeat(30_001)),
        &format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(3000)),
        &"SELECT 1;".repeat(7000),
    ] {
        let start = Instant::now();
        let shown: String = query.chars().take(60).collect();
        let params = Sql::default();
        let got = match params.candidate(query) {
            Ok(query) => params.compare("SELECT name FROM p", &query, &[SHOP]).unwrap(),
            Err(why) => Some(why),
        };
        assert!(got.is_some(), "{shown}");
        assert!(start.elapsed().as_secs_f64() < 10.0, "{shown}: {:?}", start.elapsed());
    }
    check("SELECT count(*) FROM p", "SELECT 4", true);
}

#[test]
fn where_queries_stand() {
    let params = Sql { tag: "sql".into(), ..Sql::default() };
    assert_eq!(params.candidate("<sql>SELECT 1</sql> x").as_deref(), Ok("SELECT 1"));
    assert!(params.candidate("SELECT 1").is_err());
    let plain = Sql::default();
    assert_eq!(
        plain.candidate("Use\n```sql\nSELECT 2;\n```\n```\n| 2 |\n```").as_deref(),
        Ok("SELECT 2")
    );
    assert!(plain.candidate("The answer is 3.").is_err());
}

fn scored(
    params: Sql,
    columns: &serde_json::Value,
    completion: &str,
    gold: &str,
) -> Result<f64, UnscoredKind> {
    let mut rollout = Rollout::new("", completion, gold);
    rollout.columns = columns.as_object().unwrap().clone();
    params.signal().unwrap().score(&rollout).map(|s| s.value()).map_err(|why| why.kind)
}

#[test]
fn what_is_no_fault_of_the_completion_is_no_score() {
    let columns = json!({"schema": SHOP});
    let score = |gold| scored(Sql::default(), &columns, "SELECT 1", gold);
    assert_eq!(score("SELECT nothing FROM p"), Err(UnscoredKind::Invalid));
    assert_eq!(score(""), Err(UnscoredKind::Invalid));
    assert_eq!(
        scored(Sql::default(), &json!({}), "SELECT 1", "SELECT 1"),
        Err(UnscoredKind::Missing)
    );
    assert_eq!(
        scored(Sql::default(), &json!({"schema": "CREATE"}), "SELECT 1", "SELECT 1"),
        Err(UnscoredKind::Invalid)
    );
    assert_eq!(
        scored(Sql::default(), &json!({"schema": "ATTACH '/tmp/x' AS x"}), "SELECT 1", "SELECT 1"),
        Err(UnscoredKind::Invalid)
    );
    assert_eq!(score("SELECT 1 WHERE 0"), Ok(0.0));
    let strict = Sql { empty: Empty::Unscored, ..Sql::default() };
    assert_eq!(
        scored(strict, &columns, "SELECT 2 WHERE 0", "SELECT 1 WHERE 0"),
        Err(UnscoredKind::Abstained)
    );
}

#[test]
fn files_are_read_and_stay_as_they_are() {
    let folder = std::env::temp_dir().join(format!("guerdon sql {}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("shop #1.sqlite");
    let _ = std::fs::remove_file(&path);
    rusqlite::Connection::open(&path).unwrap().execute_batch(SHOP).unwrap();
    let before = std::fs::read(&path).unwrap();
    let params = Sql { database: Some("db".into()), root: folder.clone(), ..Sql::default() };
    let columns = json!({"db": "shop #1.sqlite"});
    let score = |query: &str| scored(params.clone(), &columns, query, "SELECT max(price) FROM p");
    assert_eq!(score("SELECT 3"), Ok(1.0));
    assert_eq!(score("DELETE FROM p"), Ok(0.0));
    let missing = json!({"db": "none.sqlite"});
    assert_eq!(scored(params.clone(), &missing, "SELECT 1", "SELECT 1"), Err(UnscoredKind::Failed));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing was written beside it");
    std::fs::remove_dir_all(&folder).unwrap();
}
