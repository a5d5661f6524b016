//! What a user can do about a call that failed.

use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::{Course, Station};
use crate::error::{CallError, ErrorKind};
use crate::failure::Failure;
use crate::wire;

impl Station {
    /// The call's error, with what to do about it.
    pub(super) async fn give_up(&self, course: &Course, failure: Failure) -> CallError {
        let remedy = self.remedy(&failure).await;
        CallError { status: failure.status, ..self.fail(course, failure.kind, failure.message) }
            .remedy(remedy)
    }

    async fn remedy(&self, failure: &Failure) -> String {
        match (failure.status, failure.kind) {
            (Some(401 | 403), _) => match &self.spec.key_env {
                Some(variable) => format!("check the key in the environment variable `{variable}`"),
                None => "name the environment variable that holds the key in `key_env`".into(),
            },
            (Some(404), _) => self.models.get_or_init(|| self.ask_for_models()).await.clone(),
            (Some(300..=399), _) => "give the address that it points to as `url`".into(),
            (_, ErrorKind::RateLimited) => {
                "lower `concurrency`, or set `requests_per_minute` or `tokens_per_minute`".into()
            }
            (_, ErrorKind::Timeout) => {
                "raise `timeout`, lower `concurrency`, or ask for fewer tokens".into()
            }
            (_, ErrorKind::Connection) => "check that it runs and that `url` is right".into(),
            _ => String::new(),
        }
    }

    /// The models that the server says it has, as a remedy.
    async fn ask_for_models(&self) -> String {
        const PATIENCE: Duration = Duration::from_secs(5);
        let asked = self.pool.exchange(Method::GET, self.models_uri.clone(), Bytes::new(), true);
        let heard = tokio::time::timeout(PATIENCE, asked).await;
        let body = match heard {
            Ok(Ok(heard)) if heard.status.is_success() => self.scrub(heard.body),
            _ => return format!("check `model` (`{}`) and `url`", self.spec.model),
        };
        let names = wire::read_models(&body);
        if names.is_empty() {
            return format!("check `model` (`{}`) and `url`", self.spec.model);
        }
        format!("`model` is `{}`, and the server has: {}", self.spec.model, names.join(", "))
    }
}
