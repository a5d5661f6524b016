//! A numbered list.

use guerdon_core::Unscored;
use serde_json::{Value, json};

use super::{Format, PREFIX, Quotes, Read, clean, plain, structured};

/// The most characters of one item.
const LONGEST: usize = 2_000;
/// The most lines of a reply that are looked at.
const LINES: usize = 20_000;

/// A numbered list of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items {
    /// The most items.
    pub most: usize,
}

impl Items {
    pub(super) fn recognise(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("a numbered list of at most ")?;
        Some(Self {
            most: rest.strip_suffix(" items, one per line, and nothing else")?.parse().ok()?,
        })
    }

    fn counted(self, items: Vec<String>) -> Result<Vec<String>, Unscored> {
        match items.len() {
            0 => Err(Unscored::unreadable("the reply holds no list")),
            n if n > self.most => Err(Unscored::unreadable(format!(
                "{n} items, at most {} were asked for",
                self.most
            ))),
            _ => Ok(items),
        }
    }
}

impl Format for Items {
    fn instruction(&self) -> String {
        format!(
            "{PREFIX}a numbered list of at most {} items, one per line, and nothing else",
            self.most
        )
    }

    fn schema(&self) -> Option<Value> {
        let list = json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": self.most});
        Some(
            json!({"type": "object", "properties": {"items": list}, "required": ["items"], "additionalProperties": false}),
        )
    }
}

impl Read for Items {
    type Answer = Vec<String>;

    /// The items of the list; a line that does not begin with a number or a dash goes on with the item before it.
    fn read(&self, reply: &str, _: &Quotes<'_>) -> Result<Vec<String>, Unscored> {
        let text = clean(reply);
        if let Some(Value::Array(items)) = structured(&text, "items") {
            let texts = items.iter().filter_map(Value::as_str).map(|item| item.trim().to_owned());
            return self.counted(texts.filter(|item| !item.is_empty()).collect());
        }
        let mut items: Vec<String> = Vec::new();
        for line in text.lines().take(LINES) {
            match (item(line), items.last_mut()) {
                (Some(new), _) => items.push(new.to_owned()),
                (None, Some(last))
                    if line.starts_with(char::is_whitespace) && last.len() < LONGEST =>
                {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => {}
            }
            if items.len() > self.most {
                break;
            }
        }
        items.iter_mut().for_each(|item| item.truncate(item.floor_char_boundary(LONGEST)));
        self.counted(items)
    }
}

/// The text of `1. text`, `2) text` or `- text`.
fn item(line: &str) -> Option<&str> {
    let line = plain(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = if digits > 0 && digits < 5 {
        line[digits..].strip_prefix(['.', ')', ':'])?
    } else {
        line.strip_prefix("- ").or_else(|| line.strip_prefix("• "))?
    };
    let text = rest.trim();
    text.chars().any(char::is_alphanumeric).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Items, Quotes, Read};

    fn read(reply: &str) -> Vec<String> {
        Items { most: 3 }.read(reply, &Quotes::none()).unwrap_or_default()
    }

    #[test]
    fn lists_are_read() {
        let expect = ["Is it short?", "Is it right?"];
        assert_eq!(read("Here:\n1. Is it short?\n2) Is it right?"), expect);
        assert_eq!(read("- Is it short?\n- Is it right?\n"), expect);
        assert_eq!(read("1. Is it\n   short?\n2. Is it right?"), expect);
        assert_eq!(read("{\"items\": [\"Is it short?\", \"Is it right?\"]}"), expect);
        for reply in ["", "no list", "1.", "1. a\n2. b\n3. c\n4. d"] {
            assert!(read(reply).is_empty(), "{reply}");
        }
    }
}
