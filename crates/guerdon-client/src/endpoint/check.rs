//! What an entry may say: ranges, and no keys where they would be kept or shown.

use guerdon_core::ParamError;
use serde_json::Value;

use super::{Endpoint, Limits};

/// Longest duration that a spec may name: a year, in seconds. Longer ones are slips, and overflow clocks.
const YEAR: f64 = 366.0 * 86_400.0;

/// Fields of a request's body that the client writes itself.
const OWN_FIELDS: [&str; 14] = [
    "model",
    "messages",
    "prompt",
    "input",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stream",
    "n",
    "response_format",
    "logprobs",
    "top_logprobs",
    "echo",
];

/// Fields that would carry a secret into the cache.
const SECRET_FIELDS: [&str; 4] = ["api_key", "apikey", "api-key", "authorization"];

impl Endpoint {
    /// Checks every field; the error's path names the field. The environment is not looked at.
    pub fn check(&self) -> Result<(), ParamError> {
        self.check_place()?;
        self.check_sampling()?;
        self.check_limits()
    }

    fn check_place(&self) -> Result<(), ParamError> {
        crate::http::Address::parse(&self.url)
            .map_err(|message| ParamError::new("url", format!("`url` {message}")))?;
        if !self.api.whole_url() && self.model.trim().is_empty() {
            let message = "`model` is missing: give the model's name at the endpoint";
            return Err(ParamError::new("model", message));
        }
        self.key_env.as_deref().map_or(Ok(()), check_variable)
    }

    fn check_sampling(&self) -> Result<(), ParamError> {
        if let Some(temperature) = self.temperature {
            ParamError::in_range("temperature", temperature, 0.0, f64::MAX)?;
        }
        if let Some(top_p) = self.top_p {
            ParamError::positive("top_p", top_p)?;
            ParamError::in_range("top_p", top_p, 0.0, 1.0)?;
        }
        if self.max_tokens == Some(0) {
            return Err(ParamError::new("max_tokens", "`max_tokens` must be at least 1, not 0"));
        }
        self.extra.iter().try_for_each(|(key, value)| check_extra(key, value))
    }

    fn check_limits(&self) -> Result<(), ParamError> {
        if self.concurrency == 0 {
            return Err(ParamError::new("concurrency", "`concurrency` must be at least 1, not 0"));
        }
        for (field, rate) in [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
        ] {
            rate.map_or(Ok(()), |rate| ParamError::positive(field, rate))?;
        }
        for (field, seconds) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
            ("deadline", self.deadline),
            ("backoff", self.backoff),
        ] {
            ParamError::positive(field, seconds)?;
            ParamError::in_range(field, seconds, 0.0, YEAR)?;
        }
        ParamError::in_range("price.input", self.price.input, 0.0, 1e9).map_err(nested)?;
        ParamError::in_range("price.output", self.price.output, 0.0, 1e9).map_err(nested)
    }
}

impl Limits {
    /// Checks every field; the error's path names the field.
    pub fn check(&self) -> Result<(), ParamError> {
        self.money.map_or(Ok(()), |money| ParamError::in_range("money", money, 0.0, 1e6))
    }
}

/// `a.b` as a path of two.
fn nested(error: ParamError) -> ParamError {
    ParamError {
        path: error.path.iter().flat_map(|p| p.split('.').map(str::to_owned)).collect(),
        ..error
    }
}

/// Whether lists and objects lie within each other no more than `depth` deep.
fn shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| shallow(item, depth - 1)),
        Value::Object(map) => depth > 0 && map.values().all(|item| shallow(item, depth - 1)),
        _ => true,
    }
}

fn check_extra(key: &str, value: &Value) -> Result<(), ParamError> {
    const DEEPEST: usize = 32;
    let message = if OWN_FIELDS.contains(&key) {
        format!(
            "`{key}` is written by the client: set it as a field of the model, or in the method that asks"
        )
    } else if SECRET_FIELDS.contains(&key.to_ascii_lowercase().as_str()) {
        format!(
            "`{key}` would be kept in the cache: name the variable that holds the key in `key_env`"
        )
    } else if !shallow(value, DEEPEST) {
        format!("`{key}` is nested more than {DEEPEST} deep")
    } else {
        return Ok(());
    };
    Err(ParamError { path: vec!["extra".into(), key.to_owned()], message, unknown_key: false })
}

/// Accepts names of environment variables. What looks like a key is refused without being repeated.
fn check_variable(name: &str) -> Result<(), ParamError> {
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if named && !looks_like_a_key(name) {
        return Ok(());
    }
    let message = "`key_env` is the name of an environment variable, such as OPENAI_API_KEY. What stands here looks like a \
                   key itself: remove it from the file, revoke it if the file was shared, and put it into a variable";
    let other = "`key_env` is the name of an environment variable, such as OPENAI_API_KEY: letters, digits and underscores";
    let message =
        if name.is_empty() || name.contains(char::is_whitespace) { other } else { message };
    Err(ParamError::new("key_env", message))
}

fn looks_like_a_key(name: &str) -> bool {
    const PREFIXES: [&str; 9] =
        ["sk_", "gsk_", "hf_", "xai_", "pk_", "r8_", "AIza", "ghp_", "nvapi_"];
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let lower = name.bytes().any(|b| b.is_ascii_lowercase());
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.len() > 64
        || (name.len() >= 20 && lower && digits >= 3)
        || (name.len() >= 24 && digits >= 6)
}

#[cfg(test)]
mod tests {
    use super::Endpoint;
    use serde_json::json;

    fn refused(change: impl FnOnce(&mut Endpoint)) -> String {
        let mut endpoint = Endpoint::new("http://localhost:8000/v1", "m");
        change(&mut endpoint);
        endpoint.check().unwrap_err().to_string()
    }

    #[test]
    fn keys_are_refused_and_never_repeated() {
        for key in [
            "sk-proj-abcdef0123456789",
            "hf_abcdefghijklmnopqrstuv",
            "a1b2c3d4e5f6a7b8c9d0e1f2",
            "AIzaSyD-x",
        ] {
            let message = refused(|e| e.key_env = Some(key.into()));
            assert!(message.contains("looks like a key") && !message.contains(key), "{message}");
        }
        let mut endpoint = Endpoint::new("http://localhost:8000/v1", "m");
        for name in ["OPENAI_API_KEY", "key", "MY_KEY_2", "azure_openai_api_key_for_the_judge"] {
            endpoint.key_env = Some(name.into());
            assert_eq!(endpoint.check(), Ok(()), "{name}");
        }
        assert!(refused(|e| e.url = "http://user:secret@host/v1".into()).contains("key_env"));
        assert!(!refused(|e| e.url = "http://user:secret@host/v1".into()).contains("secret"));
        assert!(
            refused(|e| e.extra.insert("api_key".into(), json!("x")).map_or((), |_| ()))
                .contains("cache")
        );
    }

    #[test]
    fn ranges_are_checked() {
        assert!(refused(|e| e.temperature = Some(-1.0)).contains("temperature"));
        assert!(refused(|e| e.top_p = Some(0.0)).contains("top_p"));
        assert!(refused(|e| e.timeout = f64::NAN).contains("timeout"));
        assert!(refused(|e| e.concurrency = 0).contains("concurrency"));
        assert!(refused(|e| e.price.output = -1.0).contains("price.output"));
        assert!(refused(|e| e.url = "localhost:8000".into()).contains("http"));
        assert!(refused(|e| e.url = "http://h/v1/chat/completions".into()).contains("base URL"));
        assert!(refused(|e| e.model = String::new()).contains("model"));
        assert!(refused(|e| drop(e.extra.insert("seed".into(), json!(1)))).contains("seed"));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert!(refused(|e| drop(e.extra.insert("x".into(), deep))).contains("deep"));
    }
}
