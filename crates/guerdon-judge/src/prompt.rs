//! Prompts: templates that a user can read and replace.
//!
//! A prompt is a pair of [minijinja](https://docs.rs/minijinja) templates, for the system and the user message. Texts of
//! others reach them fenced (see [`fence`](crate::fence)); the reply format reaches them as `{{ reply_format }}`, because
//! what reads the reply relies on it.

use std::cell::RefCell;

use guerdon_core::method::Request;
use guerdon_core::{Message, ParamError, Unscored};
use minijinja::{Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Format;
use crate::fence::Fences;

/// Templates that stand in for the built-in ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prompt {
    /// Template of the system message: the text, or the name of a `.j2` file beside the spec. Default: the method's own.
    pub system: Option<String>,
    /// Template of the user message: the text, or the name of a `.j2` file beside the spec. Default: the method's own. It
    /// must hold `{{ reply_format }}`.
    pub user: Option<String>,
}

/// The templates that come with a method.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Template of the system message; empty for none.
    pub system: &'static str,
    /// Template of the user message.
    pub user: &'static str,
}

/// What a template is filled with.
pub struct Fill<'a> {
    fences: &'a Fences,
    values: Vec<(String, minijinja::Value)>,
}

impl<'a> Fill<'a> {
    /// Nothing yet.
    pub fn new(fences: &'a Fences) -> Self {
        Self { fences, values: Vec::new() }
    }

    /// A text of others: fenced under its name.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Self {
        let fenced = self.fences.wrap(name, text);
        self.value(name, fenced)
    }

    /// A text of others that may be absent: then the variable is empty, and false.
    #[must_use]
    pub fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self.value(name, ""),
        }
    }

    /// A list of texts of others: each fenced, named by `name` and its label.
    #[must_use]
    pub fn texts(self, name: &str, texts: &[(String, &str)]) -> Self {
        let each: Vec<String> = texts
            .iter()
            .map(|(label, text)| self.fences.wrap(&format!("{name}_{label}"), text))
            .collect();
        self.value(name, each)
    }

    /// A value of our own (a scale, a label), as it is.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Serialize) -> Self {
        self.values.push((name.to_owned(), minijinja::Value::from_serialize(value)));
        self
    }
}

impl Prompt {
    /// Checks the templates; `field` is the name of the parameter.
    pub fn validate(&self, field: &str) -> Result<(), ParamError> {
        for (name, template) in [("system", &self.system), ("user", &self.user)] {
            let Some(text) = template else { continue };
            let place = |message: String| ParamError {
                path: vec![field.to_owned(), name.to_owned()],
                message,
                unknown_key: false,
            };
            environment()
                .template_from_str(text)
                .map_err(|error| place(format!("the template cannot be read: {error}")))?;
            if name == "user" && !text.contains("reply_format") {
                return Err(place(
                    "the template must hold `{{ reply_format }}`: the reply is read by it".into(),
                ));
            }
        }
        Ok(())
    }

    /// The request: both templates filled, the note on fences and the reply format among the values.
    pub fn request(
        &self,
        built_in: BuiltIn,
        fill: Fill<'_>,
        format: &dyn Format,
    ) -> Result<Request, Unscored> {
        let fill = fill.value("reply_format", format.instruction());
        let note = fill.fences.note();
        let values: minijinja::Value = fill.value("note", note).values.into_iter().collect();
        let user = render(self.user.as_deref().unwrap_or(built_in.user), &values)?;
        let system = render(self.system.as_deref().unwrap_or(built_in.system), &values)?;
        let mut messages = Vec::with_capacity(2);
        if !system.trim().is_empty() {
            messages.push(message("system", system.trim()));
        }
        messages.push(message("user", user.trim()));
        Ok(Request { schema: format.schema(), ..Request::chat(messages) })
    }
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.to_owned(), content: content.to_owned(), tool_calls: Vec::new() }
}

/// Templates that a thread keeps compiled; a run has few.
const KEPT: usize = 256;

thread_local! {
    static COMPILED: RefCell<(Environment<'static>, usize)> = RefCell::new((environment(), 0));
}

fn render(template: &str, values: &minijinja::Value) -> Result<String, Unscored> {
    COMPILED.with_borrow_mut(|(environment, kept)| {
        let filled = filled(environment, kept, template, values);
        filled.map_err(|error| Unscored::invalid(format!("the prompt's template fails: {error}")))
    })
}

/// A template goes by its own text.
fn filled(
    environment: &mut Environment<'static>,
    kept: &mut usize,
    template: &str,
    values: &minijinja::Value,
) -> Result<String, minijinja::Error> {
    if environment.get_template(template).is_err() {
        if *kept == KEPT {
            environment.clear_templates();
            *kept = 0;
        }
        environment.add_template_owned(template.to_owned(), template.to_owned())?;
        *kept += 1;
    }
    environment.get_template(template)?.render(values)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_recursion_limit(50);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("upper", minijinja::filters::upper);
    environment.add_filter("lower", minijinja::filters::lower);
    environment.add_filter("trim", minijinja::filters::trim);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("default", minijinja::filters::default);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment
}

#[cfg(test)]
mod tests {
    use super::{BuiltIn, Fill, Prompt};
    use crate::contract::Score;
    use crate::fence::{Fences, find};

    const OWN: BuiltIn = BuiltIn {
        system: "{{ note }}",
        user: "{% if reference %}Compare with:\n{{ reference }}\n{% endif %}{{ response }}\n{{ reply_format }}",
    };

    fn ask(prompt: &Prompt, response: &str, reference: Option<&str>) -> Vec<String> {
        let fences = Fences::new(&[response], 1);
        let fill = Fill::new(&fences).text("response", response).maybe("reference", reference);
        let request = prompt.request(OWN, fill, &Score::whole(1, 10)).unwrap();
        request.messages.into_iter().map(|m| m.content).collect()
    }

    #[test]
    fn templates_are_filled_and_can_be_replaced() {
        let built_in = ask(&Prompt::default(), "{{ 7 * 7 }}", None);
        assert_eq!(find(&built_in[1])[0].text, "{{ 7 * 7 }}");
        assert!(!built_in[1].contains("Compare") && built_in[0].contains("material"));
        assert!(ask(&Prompt::default(), "x", Some("y"))[1].contains("Compare"));
        let own = Prompt {
            system: Some(String::new()),
            user: Some("Rate {{ response }}{{ reply_format }}".into()),
        };
        assert!(ask(&own, "x", None)[0].starts_with("Rate <response_"));
    }

    #[test]
    fn a_template_without_the_format_or_with_a_mistake_is_refused() {
        for text in ["Rate {{ response }}", "{{ reply_format }} {% if %}", "{{ reply_format"] {
            let prompt = Prompt { system: None, user: Some(text.into()) };
            assert_eq!(prompt.validate("prompt").unwrap_err().path, ["prompt", "user"], "{text}");
        }
    }
}
