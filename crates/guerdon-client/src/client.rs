//! The client: endpoints, their cache and their ledger.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use guerdon_core::method::{Reply, Request};
use guerdon_core::nearest;

use crate::budget::{Budget, PICO};
use crate::cache::{CacheError, Record};
use crate::endpoint::{Endpoint, Limits};
use crate::error::{CallError, ClientError, ErrorKind};
use crate::flight::{Flights, Seat};
use crate::http::Address;
use crate::key::Key;
use crate::ledger::{Book, Item, Ledger, Slip};
use crate::station::{Finished, Station};
use crate::store::{Found, Missing, Store};

/// Talks to the models of a spec. Clones share everything; the last one to go writes the ledger to the cache's file.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    /// In the order of their names, which is the order of the book's endpoints.
    stations: Vec<Station>,
    budget: Budget,
    flights: Flights,
    book: Arc<Book>,
    store: Option<Store>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoints", &self.0.book.endpoints).finish_non_exhaustive()
    }
}

/// How often to look whether another process is done with a call.
const PEEK: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

impl Client {
    /// Checks the endpoints, reads their keys from the environment and opens the cache. Nothing is sent.
    ///
    /// The caps of `limits` hold from now on, for this client and its clones; what the cache's ledger already holds does
    /// not count.
    pub fn open(
        endpoints: BTreeMap<String, Endpoint>,
        limits: Limits,
        cache: Option<&Path>,
    ) -> Result<Self, ClientError> {
        limits.check().map_err(ClientError::Spec)?;
        for (name, endpoint) in &endpoints {
            endpoint.check().map_err(|error| ClientError::in_entry(name, error))?;
        }
        let secure = |endpoint: &Endpoint| Address::parse(&endpoint.url).is_ok_and(|a| a.tls());
        let tls = endpoints.values().any(secure).then(crate::tls::config).transpose();
        let tls = tls.map_err(ClientError::Certificates)?;
        let stations = endpoints.into_iter().enumerate().map(|(index, (name, endpoint))| {
            Station::new(&name, index, endpoint, tls.as_ref())
                .map_err(|error| ClientError::in_entry(&name, error))
        });
        let stations = stations.collect::<Result<Vec<_>, _>>()?;
        let names = stations.iter().map(|station| station.name.clone()).collect();
        let book = Arc::new(Book::new(names, cache.is_some()));
        let store = cache.map(|path| Store::open(path, Arc::clone(&book))).transpose()?;
        let (budget, flights) = (Budget::new(limits), Flights::default());
        Ok(Self(Arc::new(Inner { stations, budget, flights, book, store })))
    }

    /// Asks, or takes the reply out of the cache. `tag` names who asks, for the ledger.
    ///
    /// With a cache, the reply is committed when this returns. Dropping the future gives the call up.
    pub async fn call(&self, request: &Request, tag: &str) -> Result<Reply, CallError> {
        let inner = &*self.0;
        let station = inner.station(request.model.as_deref())?;
        let key = station.key(request);
        let mut slip = Slip::new(&inner.book, tag, station.index);
        let outcome = loop {
            match inner.flights.join(key) {
                Seat::First(lead) => {
                    let outcome = inner.answer(station, request, key, &mut slip).await;
                    lead.land(&outcome);
                    break outcome;
                }
                // An error means that the other call was given up: take its place.
                Seat::Other(landing) => {
                    if let Ok(outcome) = landing.await {
                        slip.add(Item::Shared, 1);
                        break outcome;
                    }
                }
            }
        };
        if let Err(error) = &outcome {
            slip.add(Item::Error(error.kind), 1);
        }
        outcome
    }

    /// The content address of `request`: what its reply is kept under.
    pub fn key(&self, request: &Request) -> Result<Key, CallError> {
        Ok(self.0.station(request.model.as_deref())?.key(request))
    }

    /// What the cache holds for `request`, with the body as it was sent; `None` without a cache or before the call.
    pub fn record(&self, request: &Request) -> Result<Option<Record>, CallError> {
        let station = self.0.station(request.model.as_deref())?;
        let Some(store) = &self.0.store else { return Ok(None) };
        store.record(station.key(request)).map_err(|error| broken(station, &error))
    }

    /// What was asked since the client was opened, and what it cost.
    pub fn ledger(&self) -> Ledger {
        self.0.book.ledger()
    }
}

impl Inner {
    /// The endpoint called `name`; without a name the only one, or the one called `default`.
    fn station(&self, name: Option<&str>) -> Result<&Station, CallError> {
        let find = |name: &str| self.stations.iter().find(|station| station.name == name);
        let names = || self.stations.iter().map(|station| station.name.as_str());
        let fail = |message: String| CallError::new(ErrorKind::Request, "", message);
        match (name, self.stations.as_slice()) {
            (_, []) => Err(fail("there is no model to ask: name one under `models`".into())),
            (Some(name), _) => find(name).ok_or_else(|| {
                let known: Vec<&str> = names().collect();
                let hint = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                fail(format!("there is no model `{name}`; {hint}"))
            }),
            (None, [only]) => Ok(only),
            (None, _) => find("default").ok_or_else(|| {
                let known: Vec<&str> = names().collect();
                let known = known.join(", ");
                fail(format!("which model? Name one of {known}, or call one `default`"))
            }),
        }
    }

    async fn answer(
        &self,
        station: &Station,
        request: &Request,
        key: Key,
        slip: &mut Slip<'_>,
    ) -> Result<Reply, CallError> {
        let Some(store) = &self.store else {
            let finished = station.ask(request, key, &self.budget, slip).await?;
            return Ok(finished.answer.reply);
        };
        let missing = match look(store, station, key).await? {
            Ok(reply) => {
                slip.add(Item::Hits, 1);
                return Ok(reply);
            }
            Err(missing) => missing,
        };
        let finished = station.ask(request, key, &self.budget, slip).await?;
        let record = record(station, key, finished, slip.tag());
        let reply = record.reply.clone();
        // The counts of this call are committed with its reply.
        slip.post();
        missing.keep(record).await.map_err(|error| broken(station, &error))?;
        Ok(reply)
    }
}

/// The reply, or the right to ask for it; waits for other processes that ask the same.
async fn look<'a>(
    store: &'a Store,
    station: &Station,
    key: Key,
) -> Result<Result<Reply, Missing<'a>>, CallError> {
    let mut pause = PEEK.0;
    loop {
        match store.find(key).map_err(|error| broken(station, &error))? {
            Found::Reply(reply) => return Ok(Ok(reply)),
            Found::Missing(missing) => return Ok(Err(missing)),
            Found::Claimed => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PEEK.1);
            }
        }
    }
}

fn record(station: &Station, key: Key, finished: Finished, tag: &str) -> Record {
    Record {
        key,
        model: station.spec.identity().to_owned(),
        endpoint: station.name.clone(),
        tag: tag.to_owned(),
        made: SystemTime::now(),
        request: text(finished.body),
        reply: finished.answer.reply,
        input_tokens: finished.usage.input,
        output_tokens: finished.usage.output,
        money: finished.cost.pico as f64 / PICO,
    }
}

/// The body of a request is JSON, which is text.
fn text(body: Bytes) -> String {
    String::from_utf8(body.into())
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn broken(station: &Station, error: &CacheError) -> CallError {
    station.error(ErrorKind::Cache, error.to_string())
}
