//! Where an endpoint is: the parts of its URL.

use http::Uri;
use http::uri::PathAndQuery;

/// The parts of a URL that is fit for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    tls: bool,
    host: String,
    port: u16,
    /// Without the slash at its end.
    path: String,
    query: Option<String>,
}

/// Query parameters that would put a secret where it is shown and kept.
const SECRET_PARAMETERS: [&str; 7] =
    ["key", "api_key", "apikey", "token", "access_token", "sig", "code"];

impl Address {
    /// Reads a URL; the error says what is wrong without repeating the URL, which may hold a secret.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        const REMEDY: &str = "give a base URL such as http://localhost:8000/v1";
        let uri: Uri = url.trim().parse().map_err(|_| format!("is no URL: {REMEDY}"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("must begin with http:// or https://: {REMEDY}")),
        };
        let authority = uri.authority().ok_or(format!("names no host: {REMEDY}"))?;
        if authority.as_str().contains('@') {
            return Err("holds a user name or password: put the key into an environment variable \
                        and name that in `key_env`"
                .into());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("names no host")?.to_owned();
        let query = uri.query().map(str::to_owned);
        check_query(query.as_deref().unwrap_or_default())?;
        let path = uri.path().trim_end_matches('/').to_owned();
        if path.ends_with("/completions") || path.ends_with("/embeddings") {
            return Err("must be the base URL, without the path of the call: end it at /v1".into());
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, path, query })
    }

    pub(crate) fn tls(&self) -> bool {
        self.tls
    }

    /// The host as a resolver wants it: IPv6 without brackets.
    pub(crate) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header.
    pub(crate) fn authority(&self) -> String {
        match (self.tls, self.port) {
            (false, 80) | (true, 443) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// The URL for people, without its query.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }

    /// The target of a call to `suffix` beneath the base.
    pub(crate) fn target(&self, suffix: &str) -> Uri {
        self.joined(&self.path, suffix)
    }

    /// The target of a call to `suffix` beside the base's `/v1`.
    pub(crate) fn beside(&self, suffix: &str) -> Uri {
        self.joined(self.path.strip_suffix("/v1").unwrap_or(&self.path), suffix)
    }

    fn joined(&self, path: &str, suffix: &str) -> Uri {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let text = format!("{path}{suffix}{query}");
        let text = if text.starts_with('/') { text } else { format!("/{text}") };
        // A path that was read from a URL, with one of our own suffixes, is a path.
        PathAndQuery::try_from(text).map_or_else(|_| Uri::from_static("/"), Uri::from)
    }
}

fn check_query(query: &str) -> Result<(), String> {
    let secret = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .find(|name| SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()));
    match secret {
        Some(name) => Err(format!(
            "holds a secret in its parameter `{name}`: put the key into an environment variable and name that in `key_env`"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn check(url: &str, authority: &str, chat: &str, classify: &str) {
        let address = Address::parse(url).unwrap();
        assert_eq!(address.authority(), authority);
        assert_eq!(address.target("/chat/completions"), chat);
        assert_eq!(address.beside("/classify"), classify);
    }

    #[test]
    fn targets() {
        check("http://localhost:8000/v1", "localhost:8000", "/v1/chat/completions", "/classify");
        check("http://localhost:80/v1/", "localhost", "/v1/chat/completions", "/classify");
        check("https://h", "h", "/chat/completions", "/classify");
        check("http://[::1]:8/a/v1", "[::1]:8", "/a/v1/chat/completions", "/a/classify");
        check(
            "https://h/d?api-version=1",
            "h",
            "/d/chat/completions?api-version=1",
            "/d/classify?api-version=1",
        );
        let whole = Address::parse("http://h/get_reward").unwrap();
        assert_eq!(whole.target(""), "/get_reward");
        assert_eq!(Address::parse("http://h").unwrap().target(""), "/");
        assert_eq!(Address::parse("http://[::1]:8").unwrap().host(), "::1");
    }

    #[test]
    fn what_is_no_address() {
        for url in [
            "",
            "h",
            "ftp://h",
            "http://",
            "http:///x",
            "http://u:hidden@h",
            "http://h?key=hidden",
            "http://h/v1 x",
        ] {
            let message = Address::parse(url).unwrap_err();
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
