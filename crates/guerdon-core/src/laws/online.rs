//! Laws of online methods.

use serde_json::Value;

use super::every::{built, told};
use super::json::{lost_number, mutations};
use super::verdict::{Pass, Test, Verdict};
use super::{bounded, samples};
use crate::method::{Build, ErasedOnline, Kind, OnlineInfo};
use crate::{Method, MethodError};

const SEED: u64 = 7;

/// The least number of events of a run: the samples are repeated until there are as many.
const EVENTS: usize = 24;

pub(super) fn laws(method: Method) -> Vec<Test> {
    let Kind::Online(info, build) = method.kind else { return Vec::new() };
    let case = Case { method, info, build };
    vec![
        Test::new("samples_run", move || case.samples_run()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("save_restore_is_uninterrupted", move || case.save_restore()),
        Test::new("total", move || case.total()),
    ]
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
    info: OnlineInfo,
    build: Build<dyn ErasedOnline>,
}

impl Case {
    fn ready(self) -> Result<Box<dyn ErasedOnline>, String> {
        built(self.method, self.build)
    }

    /// The sample events (a sample that is a list holds several), repeated to a run of some length.
    fn events(self) -> Result<Vec<Value>, String> {
        let flatten = |value| match value {
            Value::Array(events) => events,
            event => vec![event],
        };
        let events: Vec<Value> =
            samples::values(self.method)?.into_iter().flat_map(flatten).collect();
        if events.is_empty() {
            return Err(
                "an online method needs at least one sample event (JSON) in `samples`".to_owned()
            );
        }
        let rounds = EVENTS.div_ceil(events.len());
        Ok(events.iter().cycle().take(rounds * events.len()).cloned().collect())
    }

    fn samples_run(self) -> Verdict {
        let (online, schema) = (self.ready()?, (self.info.reading)().to_value());
        let mut state = online.init_json().map_err(|e| told(&e))?;
        check_reading(online.as_ref(), &schema, &state, "before any event")?;
        for (k, event) in self.events()?.into_iter().enumerate() {
            let shown = event.to_string();
            state = bounded::no_panic(|| online.steps_json(state, vec![event]))?
                .map_err(|error| format!("event {k}: {}\n  {shown}", told(&error)))?;
            check_reading(online.as_ref(), &schema, &state, &format!("after event {k}"))?;
        }
        Ok(Pass::Held)
    }

    fn deterministic(self) -> Verdict {
        let (a, b) = (self.run()?, self.run()?);
        if a == b { Ok(Pass::Held) } else { Err(format!("two runs differ:\n  {a:?}\n  {b:?}")) }
    }

    /// State and reading after all events, in one go.
    fn run(self) -> Result<(Value, Value), String> {
        let online = self.ready()?;
        let run = || {
            let state = online
                .steps_json(online.init_json()?, self.events().map_err(MethodError::domain)?)?;
            let reading = online.read_json(state.clone(), SEED)?;
            Ok((state, reading))
        };
        bounded::no_panic(run)?.map_err(|error: MethodError| told(&error))
    }

    fn save_restore(self) -> Verdict {
        let (whole, events) = (self.run()?, self.events()?);
        for cut in 0..events.len() {
            let online = self.ready()?;
            let half = online
                .init_json()
                .and_then(|state| online.steps_json(state, events[..cut].to_vec()))
                .map_err(|error| told(&error))?;
            let saved = half.to_string();
            let restored: Value = serde_json::from_str(&saved)
                .map_err(|error| format!("the state is not JSON: {error}"))?;
            let online = self.ready()?;
            let state = online.steps_json(restored, events[cut..].to_vec()).map_err(|error| {
                format!("its own state is refused after {cut} events: {error}\n  {saved}")
            })?;
            let reading = online.read_json(state.clone(), SEED).map_err(|error| told(&error))?;
            if (&state, &reading) != (&whole.0, &whole.1) {
                return Err(format!(
                    "saved and restored after {cut} events, it ends elsewhere:\n  {state}\n  {}",
                    whole.0
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn total(self) -> Verdict {
        let mut events = Vec::new();
        for event in samples::values(self.method)? {
            let event = event.as_array().and_then(|list| list.first()).unwrap_or(&event).clone();
            events.extend(
                mutations(&event)
                    .into_iter()
                    .map(|(name, changed)| (format!("an event with {name}"), changed)),
            );
        }
        let (online, schema) = (self.ready()?, (self.info.reading)().to_value());
        let step = move |event: &Value| {
            let state = online.steps_json(online.init_json()?, vec![event.clone()])?;
            online.read_json(state, SEED)
        };
        for (name, _, reading) in bounded::each(events, step)? {
            if let Some(place) = reading.ok().and_then(|r| lost_number(&schema, &r)) {
                return Err(format!("{place} of the reading is not finite after {name}"));
            }
        }
        Ok(Pass::Held)
    }
}

fn check_reading(
    online: &dyn ErasedOnline,
    schema: &Value,
    state: &Value,
    when: &str,
) -> Result<(), String> {
    let reading = bounded::no_panic(|| online.read_json(state.clone(), SEED))
        .map_err(|panic| format!("reading panics {when}:\n  {panic}"))?
        .map_err(|error| format!("reading fails {when}: {error}"))?;
    match lost_number(schema, &reading) {
        Some(place) => {
            Err(format!("{place} of the reading is not finite (it became null) {when}: {reading}"))
        }
        None => Ok(()),
    }
}
