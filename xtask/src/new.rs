//! `cargo xtask new FAMILY/NAME`: a method file to start from.

use std::path::{Path, PathBuf};

use xtask::rooms::{Family, families, ids};
use xtask::run::{read, root, write};

/// What sort of method to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `signal`, ...
    pub(crate) name: &'static str,
    template: &'static str,
    /// Families that usually hold this kind.
    usual: &'static [&'static str],
}

/// All kinds.
pub(crate) const KINDS: [Kind; 6] = [
    Kind {
        name: "signal",
        template: include_str!("../templates/signal.rs.txt"),
        usual: &["verify"],
    },
    Kind {
        name: "transform",
        template: include_str!("../templates/transform.rs.txt"),
        usual: &["advantage", "shape"],
    },
    Kind {
        name: "selector",
        template: include_str!("../templates/selector.rs.txt"),
        usual: &["select"],
    },
    Kind { name: "function", template: include_str!("../templates/function.rs.txt"), usual: &[] },
    Kind {
        name: "online",
        template: include_str!("../templates/online.rs.txt"),
        usual: &["bandit"],
    },
    Kind {
        name: "protocol",
        template: include_str!("../templates/protocol.rs.txt"),
        usual: &["judge", "search"],
    },
];

/// Names that the templates import: a method of that name gets a longer type.
const TAKEN: [&str; 18] = [
    "Candidates",
    "Column",
    "Function",
    "Next",
    "Online",
    "Outcome",
    "Params",
    "Protocol",
    "Reply",
    "Request",
    "Rollout",
    "Score",
    "Scope",
    "Selection",
    "Selector",
    "Signal",
    "Transform",
    "View",
];

const KEYWORDS: [&str; 20] = [
    "as", "async", "await", "box", "const", "do", "dyn", "enum", "fn", "for", "gen", "if", "in",
    "loop", "match", "move", "mod", "self", "try", "yield",
];

pub(crate) fn main(args: &[&str]) -> Result<(), String> {
    let (id, kind) = match args {
        [id] => (*id, None),
        [id, "--kind", kind] | ["--kind", kind, id] => (*id, Some(*kind)),
        _ => return Err("say `cargo xtask new FAMILY/NAME [--kind KIND]`, for example `cargo xtask new shape/par`".to_owned()),
    };
    let made = create(&root(), id, kind)?;
    let (family, name) = (&made.family.name, &made.name);
    println!(
        "A new {} `{family}.{name}` stands in {}.\n\n\
         It compiles and obeys its laws as it is. Now make it yours, from top to bottom:\n\
         \x20 1. the module comment: what it does, the formula, when to use it, departures, references;\n\
         \x20 2. the parameters, with unit, range and default; the paper's values are the defaults;\n\
         \x20 3. the pure function;\n\
         \x20 4. the registration: citation keys of catalogue/papers.toml, status, laws, samples;\n\
         \x20 5. the tests: the paper's numbers and one reduction.\n\n\
         Then: cargo test -p {room} {name} && cargo test -p {room} --test laws {family}.{name}",
        made.kind.name,
        made.file.strip_prefix(root()).unwrap_or(&made.file).display(),
        room = made.family.room,
    );
    Ok(())
}

/// What was made.
pub(crate) struct Made {
    pub(crate) family: Family,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) file: PathBuf,
}

/// Makes the file of a method and its `pub mod` line in the workspace at `root`.
pub(crate) fn create(root: &Path, id: &str, kind: Option<&str>) -> Result<Made, String> {
    let (family, name) = id
        .split_once(['/', '.'])
        .ok_or_else(|| format!("`{id}` is not FAMILY/NAME, as in `shape/par`"))?;
    check_name(name)?;
    let family = find_family(root, family, kind)?;
    let kind = find_kind(&family, kind)?;
    let full = format!("{}.{name}", family.name);
    if let Some((_, file)) = ids(&family.folder)?.into_iter().find(|(known, _)| *known == full) {
        return Err(format!("`{full}` exists already, in {}", file.display()));
    }
    let file = family.folder.join(format!("{name}.rs"));
    if file.exists() || family.folder.join(name).exists() {
        return Err(format!("{} exists already", file.display()));
    }
    let module_file = family.folder.join("mod.rs");
    let module = with_mod_line(&read(&module_file)?, name);
    write(&file, &filled(kind.template, &family, name))?;
    write(&module_file, &module)?;
    format_file(&file);
    Ok(Made { family, name: name.to_owned(), kind, file })
}

/// Breaks the lines as the names need it. Without rustfmt the file is right, only not pretty.
fn format_file(file: &Path) {
    let edition = ["--edition", "2024"];
    let _ = std::process::Command::new("rustfmt").args(edition).arg(file).status();
}

fn check_name(name: &str) -> Result<(), String> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !well_formed {
        return Err(format!(
            "the name must be lower-case letters, digits and `_`, and begin with a letter; not `{name}`"
        ));
    }
    if KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a keyword of Rust and cannot be a module"));
    }
    Ok(())
}

/// The family of a name. A family in several rooms keeps what asks a model in the room of judges, all else elsewhere.
fn find_family(root: &Path, name: &str, kind: Option<&str>) -> Result<Family, String> {
    let all = families(root)?;
    let asks = matches!(kind, Some("protocol" | "judge"));
    let right = |family: &&Family| (family.room == "guerdon-judge") == asks;
    let named = || all.iter().filter(|family| family.name == name);
    named().find(right).or_else(|| named().next()).cloned().ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|f| format!("{} ({})", f.name, f.room)).collect();
        format!(
            "there is no family `{name}`; there are: {}.\nA new family is a folder `src/{name}/` in its room, with its name in \
             the `registry` call of the room's build.rs and a `pub mod {name};` in its lib.rs.",
            known.join(", ")
        )
    })
}

fn find_kind(family: &Family, name: Option<&str>) -> Result<Kind, String> {
    let usual = |kind: &Kind| kind.usual.contains(&family.name.as_str());
    match name {
        None => Ok(KINDS.into_iter().find(usual).unwrap_or(KINDS[3])),
        Some(name) => KINDS.into_iter().find(|kind| kind.name == name).ok_or_else(|| {
            format!(
                "there is no kind `{name}`; there are: {}",
                KINDS.map(|kind| kind.name).join(", ")
            )
        }),
    }
}

/// The module file with `pub mod name;` among its sorted sisters.
fn with_mod_line(module: &str, name: &str) -> String {
    let line = format!("pub mod {name};");
    let mut lines: Vec<&str> = module.lines().collect();
    let mut sisters = lines.iter().enumerate().filter(|(_, l)| l.starts_with("pub mod "));
    let after = sisters.clone().find(|(_, l)| **l > line.as_str()).map(|(at, _)| at);
    match after.or_else(|| sisters.next_back().map(|(at, _)| at + 1)) {
        Some(at) => lines.insert(at, &line),
        None => lines.extend(["", &line]),
    }
    lines.join("\n") + "\n"
}

fn filled(template: &str, family: &Family, name: &str) -> String {
    let mut type_name = camel(name);
    if TAKEN.contains(&type_name.as_str()) {
        type_name.push_str("Method");
    }
    template
        .replace("{room}", &family.room.replace('-', "_"))
        .replace("{family}", &family.name)
        .replace("{name}", name)
        .replace("{Type}", &type_name)
}

fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    name.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{camel, check_name, find_family, with_mod_line};

    #[test]
    fn the_mod_line_goes_where_it_belongs() {
        assert_eq!(
            with_mod_line("//! F.\n\npub mod a;\npub mod c;\n", "b"),
            "//! F.\n\npub mod a;\npub mod b;\npub mod c;\n"
        );
        assert_eq!(
            with_mod_line("//! F.\n\npub mod a;\n\nfn f() {}\n", "b"),
            "//! F.\n\npub mod a;\npub mod b;\n\nfn f() {}\n"
        );
        assert_eq!(with_mod_line("//! F.\n", "b"), "//! F.\n\npub mod b;\n");
    }

    #[test]
    fn what_asks_a_model_goes_to_the_room_of_judges() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let room = |family, kind| find_family(&root, family, kind).map(|family| family.room);
        assert_eq!(room("data", Some("protocol")), Ok("guerdon-judge".into()));
        assert_eq!(room("data", None), Ok("guerdon-model".into()));
        assert_eq!(room("judge", None), Ok("guerdon-judge".into()));
        assert!(room("nothing", None).is_err());
    }

    #[test]
    fn names() {
        assert_eq!(camel("pass_at_k"), "PassAtK");
        assert!(check_name("par2").is_ok());
        for bad in ["", "Par", "2x", "a-b", "match"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
