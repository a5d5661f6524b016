//! The outer shape of a query: where its statement ends, what it orders by, how many rows it takes.

/// Longest query that is read, in bytes.
const MAX_BYTES: usize = 1 << 16;

/// A word, number, quoted text or mark, and how many brackets are open around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    depth: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// The tokens of a query, comments left out.
fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let bytes = text.as_bytes();
    let (mut found, mut at, mut depth) = (Vec::new(), 0, 0_usize);
    while at < bytes.len() {
        let start = at;
        let rest = &text[at..];
        let until =
            |mark: &str, from: usize| rest[from..].find(mark).map(|end| from + end + mark.len());
        let word =
            |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.' || !c.is_ascii();
        match bytes[at] {
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += until("*/", 2).unwrap_or(rest.len());
                continue;
            }
            b'\'' => at += until("'", 1).ok_or("a text is not closed")?,
            b'"' => at += until("\"", 1).ok_or("a name is not closed")?,
            b'`' => at += until("`", 1).ok_or("a name is not closed")?,
            b'[' => at += until("]", 1).ok_or("a name is not closed")?,
            _ if rest.starts_with(word) => {
                at += rest.find(|c: char| !word(c)).unwrap_or(rest.len());
            }
            _ => at += 1,
        }
        let token = &text[start..at];
        if token == ")" {
            depth = depth.checked_sub(1).ok_or("a bracket closes that was not opened")?;
        }
        found.push(Token { text: token, start, depth });
        depth += usize::from(token == "(");
    }
    Ok(found)
}

/// The one statement of `text`, without the semicolon behind it.
pub(super) fn statement(text: &str) -> Result<&str, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let tokens = tokens(text)?;
    let mut semicolons = tokens.iter().skip_while(|token| token.text != ";");
    let end = semicolons.next().map_or(text.len(), |token| token.start);
    if semicolons.any(|token| token.text != ";") {
        return Err("more than one statement".to_owned());
    }
    match tokens.first().filter(|token| token.text != ";") {
        Some(first) if ["SELECT", "WITH", "VALUES"].iter().any(|word| first.is(word)) => {
            Ok(text[first.start..end].trim_end())
        }
        Some(first) => Err(format!(
            "`{}` does not begin a query",
            first.text.chars().take(20).collect::<String>()
        )),
        None => Err("there is no query".to_owned()),
    }
}

/// A term of `ORDER BY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// The number of an output column, from 0.
    Column(usize),
    /// A name, of an output column or of one of a table.
    Name(&'a str),
    /// Any other expression.
    Expression(&'a str),
}

/// What stands at the top level of a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shape<'a> {
    /// What it orders by; empty where it does not.
    pub(super) keys: Vec<Key<'a>>,
    /// The query without `LIMIT` and `OFFSET`.
    pub(super) unlimited: &'a str,
    /// The numbers of rows to take and to skip, where they are written as numbers.
    pub(super) window: Option<(usize, usize)>,
    /// Whether it takes a part of its rows alone.
    pub(super) limited: bool,
    /// Where further output columns can be written: before `FROM`. None for compound and distinct queries.
    pub(super) gap: Option<usize>,
}

/// Reads the top level of a statement.
pub(super) fn shape(text: &str) -> Option<Shape<'_>> {
    let tokens: Vec<Token<'_>> = tokens(text).ok()?.into_iter().filter(|t| t.depth == 0).collect();
    let at = |word: &str| tokens.iter().rposition(|token| token.is(word));
    let order = at("ORDER").filter(|at| tokens.get(at + 1).is_some_and(|token| token.is("BY")));
    let limit = at("LIMIT").filter(|limit| order.is_none_or(|order| order < *limit));
    let end = limit.unwrap_or(tokens.len());
    let place = |index: usize| tokens.get(index).map_or(text.len(), |token| token.start);
    let keys = match order {
        Some(order) => split(text, &tokens[order + 2..end], place(end)),
        None => Vec::new(),
    };
    let compound = ["UNION", "INTERSECT", "EXCEPT", "VALUES"].iter().any(|word| at(word).is_some());
    let distinct = tokens.windows(2).any(|pair| pair[0].is("SELECT") && pair[1].is("DISTINCT"));
    let from = (0..tokens.len()).find(|i| {
        let compared = *i >= 2 && tokens[i - 1].is("DISTINCT") && !tokens[i - 2].is("SELECT");
        tokens[*i].is("FROM") && !compared
    });
    Some(Shape {
        keys,
        unlimited: text[..place(end)].trim_end(),
        window: limit.and_then(|limit| window(&tokens[limit + 1..])),
        limited: limit.is_some(),
        gap: from.filter(|_| !compound && !distinct).map(place),
    })
}

fn window(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    let number = |token: &Token<'_>| token.text.parse::<usize>().ok();
    match tokens {
        [count] => Some((number(count)?, 0)),
        [count, word, skip] if word.is("OFFSET") => Some((number(count)?, number(skip)?)),
        [skip, comma, count] if comma.text == "," => Some((number(count)?, number(skip)?)),
        _ => None,
    }
}

/// The terms between commas, without direction and place of nulls.
fn split<'a>(text: &'a str, tokens: &[Token<'a>], end: usize) -> Vec<Key<'a>> {
    let mut keys = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let count = rest.iter().position(|token| token.text == ",").unwrap_or(rest.len());
        let stop = rest.get(count).map_or(end, |token| token.start);
        keys.extend(key(text, &rest[..count], stop));
        rest = rest.get(count + 1..).unwrap_or(&[]);
    }
    keys
}

fn key<'a>(text: &'a str, term: &[Token<'a>], stop: usize) -> Option<Key<'a>> {
    let mut kept = term.len();
    let ends =
        |kept: usize, words: &[&str]| kept > 1 && words.iter().any(|word| term[kept - 1].is(word));
    if kept > 2 && term[kept - 2].is("NULLS") && ends(kept, &["FIRST", "LAST"]) {
        kept -= 2;
    }
    if ends(kept, &["ASC", "DESC"]) {
        kept -= 1;
    }
    let end = term.get(kept).map_or(stop, |token| token.start);
    let whole = text[term.first()?.start..end].trim();
    Some(match &term[..kept] {
        [one] if one.text.bytes().all(|b| b.is_ascii_digit()) => {
            Key::Column(one.text.parse::<usize>().ok()?.checked_sub(1)?)
        }
        [one] if !one.text.starts_with('\'') && !one.text.contains('.') => {
            Key::Name(one.text.trim_matches(['"', '`', '[', ']']))
        }
        _ => Key::Expression(whole),
    })
}

#[cfg(test)]
mod tests {
    use super::{Key, shape, statement};

    #[test]
    fn one_statement() {
        let check = |text, expect: Option<&str>| assert_eq!(statement(text).ok(), expect, "{text}");
        check("SELECT 1;", Some("SELECT 1"));
        check("-- why\nselect ';' -- a; b\n ; ; ", Some("select ';' -- a; b"));
        check(
            "WITH a AS (SELECT 1) SELECT * FROM a /* ; x",
            Some("WITH a AS (SELECT 1) SELECT * FROM a /* ; x"),
        );
        for text in [
            "",
            ";",
            "-- x",
            "SELECT 1; SELECT 2",
            "DELETE FROM t",
            "SELECT 'a",
            "SELECT 1)",
            "EXPLAIN SELECT 1",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn orders_and_limits() {
        let read = |text| shape(text).unwrap();
        let s = read(
            "SELECT a, max(b) FROM t GROUP BY a ORDER BY max(b) DESC, 1, a NULLS LAST LIMIT 2 OFFSET 3",
        );
        assert_eq!(s.keys, [Key::Expression("max(b)"), Key::Column(0), Key::Name("a")]);
        assert_eq!((s.window, s.limited), (Some((2, 3)), true));
        assert!(s.unlimited.ends_with("a NULLS LAST"));
        let s = read("SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 1) x");
        assert_eq!((s.keys.len(), s.limited, s.gap), (0, false, Some(9)));
        assert_eq!(read("SELECT 1 LIMIT 5, 6").window, Some((6, 5)));
        assert_eq!(read("SELECT 1 LIMIT -1").window, None);
        assert_eq!(read("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1").gap, None);
        assert_eq!(read("SELECT DISTINCT a FROM t").gap, None);
        assert_eq!(read("SELECT a IS DISTINCT FROM b FROM t").gap, Some(28));
    }
}
