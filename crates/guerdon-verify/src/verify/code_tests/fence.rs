//! Finding the code in a completion.

/// The code of a completion: of its blocks between ``` or ~~~ fences the last that names `language`, else the last;
/// without a fence the whole text, trimmed.
///
/// A block that is not closed reaches to the end. The indentation of the opening fence is taken off its lines.
pub fn code_in(text: &str, language: &str) -> String {
    let mut last: Option<Block> = None;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let Some(fence) = Fence::open(line) else { continue };
        let named = names(fence.info, language);
        let code: String = lines
            .by_ref()
            .take_while(|line| !fence.is_closed_by(line))
            .map(|line| without_indent(line, fence.indent))
            .collect();
        if named || last.as_ref().is_none_or(|block| !block.named) {
            last = Some(Block { named, code });
        }
    }
    last.map_or_else(|| text.trim().to_owned(), |block| block.code)
}

struct Block {
    named: bool,
    code: String,
}

/// An opening fence: its character, the number of them, what stands before and after.
struct Fence<'a> {
    mark: char,
    count: usize,
    indent: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let body = line.trim_start();
        let mark = body.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = body.trim_start_matches(mark);
        let count = body.len() - info.len();
        let info = info.trim();
        // A line such as ```x = 1``` is inline code.
        let opens = count >= 3 && !(mark == '`' && info.contains('`'));
        opens.then_some(Self { mark, count, indent: line.len() - body.len(), info })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let body = line.trim();
        body.len() >= self.count && body.chars().all(|c| c == self.mark)
    }
}

fn without_indent(line: &str, indent: usize) -> &str {
    let blank = line.bytes().take(indent).take_while(|b| matches!(b, b' ' | b'\t')).count();
    &line[blank..]
}

fn names(info: &str, language: &str) -> bool {
    let word = info.split([' ', '\t', ',', '{', ':']).find(|w| !w.is_empty()).unwrap_or_default();
    let word = word.to_ascii_lowercase();
    let also: &[&str] = match language {
        "python" => &["py", "python3", "py3"],
        "cpp" => &["c++", "cc", "cxx"],
        "rust" => &["rs"],
        "javascript" => &["js", "node"],
        "bash" => &["sh", "shell"],
        _ => &[],
    };
    word == language || also.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::code_in;

    fn check(text: &str, expect: &str) {
        assert_eq!(code_in(text, "python"), expect, "{text:?}");
    }

    #[test]
    fn the_last_block_of_the_language() {
        check("a\n```python\nx\n```\nb\n```py\ny\n```\n", "y\n");
        check("```python\nx\n```\nprints\n```text\n5\n```", "x\n");
        check("```\nx\n```\n```text\ny\n```", "y\n");
        check("~~~Python title=\"a\"\nx\n~~~", "x\n");
    }

    #[test]
    fn no_fence_and_open_fences() {
        check(" \n x = 1\n", "x = 1");
        check("```python\nwhile True: pass", "while True: pass");
        check("```python\n```", "");
        check("use ```x``` here", "use ```x``` here");
        check("", "");
    }

    #[test]
    fn fences_inside_and_indented_fences() {
        check("````python\ns = '''\n```\n'''\n````", "s = '''\n```\n'''\n");
        check("1. so\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y\n");
        check("\t```python\nx\n\t```", "x\n");
    }
}
