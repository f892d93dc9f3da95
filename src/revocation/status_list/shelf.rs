//! The lists of one issuer.

use super::held::{Known, Rules};
use super::kept::Kept;
use super::reference::{Fault, Reference};
use super::token::{self, ListError, MEDIA_TYPE, Signed};
use crate::clock::{Clock, Timestamp};
use crate::net::http::{Client, HttpError};
use crate::net::tls::ClientTls;
use crate::token::issuer::{Issuer, KeySource};
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// The longest Status List Token, in bytes: one of a list of the greatest length, twice in base64.
const MAX_TOKEN: usize = 4 * 1024 * 1024;

/// What all lists of an issuer may take, in bytes.
const MAX_LISTS: u64 = 64 * 1024 * 1024;

/// What a list is counted as at least, in bytes, so that there are at most a thousand.
const LEAST_LIST: usize = 64 * 1024;

/// Fetches under way at once.
const FETCHES: usize = 8;

/// The lists of one issuer, by their URL.
#[derive(Debug)]
pub(super) struct Shelf {
    issuer: Arc<Issuer>,
    client: Client,
    clock: Arc<dyn Clock>,
    lists: Cache<String, Arc<Kept>>,
    fetching: Semaphore,
    counts: Counts,
}

/// How fetches of lists ended.
#[derive(Debug, Default)]
pub struct Counts {
    /// With a list.
    pub ok: AtomicU64,
    /// Without an answer.
    pub unanswered: AtomicU64,
    /// With something that is no list of this issuer to use.
    pub refused: AtomicU64,
}

impl Shelf {
    /// Lists are asked for as the issuer's keys are.
    pub(super) fn new(issuer: Arc<Issuer>, clock: Arc<dyn Clock>) -> Result<Self, HttpError> {
        let config = issuer.config();
        let tls = match &config.keys {
            KeySource::Discovery { tls } | KeySource::Url { tls, url: _ } => tls.clone(),
            KeySource::File(_) | KeySource::Secret(_) => ClientTls::default(),
        };
        Ok(Self {
            client: Client::new(&tls, config.keyring.timeout)?,
            lists: Cache::builder()
                .max_capacity(MAX_LISTS)
                .eviction_policy(EvictionPolicy::lru())
                .weigher(|uri: &String, kept: &Arc<Kept>| {
                    let list = kept.held(Instant::now()).map_or(0, |(_, size)| size);
                    u32::try_from(uri.len() + list.max(LEAST_LIST)).unwrap_or(u32::MAX)
                })
                .build(),
            issuer,
            clock,
            fetching: Semaphore::new(FETCHES),
            counts: Counts::default(),
        })
    }

    pub(super) const fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The status that a list says, without waiting; else the list, to be waited for.
    pub(super) fn look(
        self: &Arc<Self>,
        reference: Reference<'_>,
        wall: Timestamp,
        now: Instant,
    ) -> Result<Result<u8, Arc<Kept>>, Fault> {
        let kept = match self.lists.get(reference.uri) {
            Some(kept) => kept,
            None => self.take_up(reference.uri)?,
        };
        Ok(match kept.say(reference.index, wall, now) {
            Known::Status(status) => Ok(status),
            Known::OutOfRange | Known::Nothing => Err(kept),
        })
    }

    /// Lists held, and how long ago the fetch began that brought the oldest of them.
    pub(super) fn held(&self, now: Instant) -> (u64, Option<Duration>) {
        self.lists.run_pending_tasks();
        let held = self.lists.iter().filter_map(|(_, kept)| kept.held(now));
        held.fold((0, None), |(count, oldest), (age, _)| {
            (count + 1, oldest.max(Some(age)))
        })
    }

    /// Begins to keep a list, if it is one to be trusted.
    fn take_up(self: &Arc<Self>, uri: &str) -> Result<Arc<Kept>, Fault> {
        let mut prefixes = self.issuer.config().status_lists.iter();
        if !prefixes.any(|prefix| prefix.covers(uri)) {
            return Err(Fault::Untrusted);
        }
        Ok(self
            .lists
            .get_with(uri.into(), || Arc::new(Self::keep(self, &Arc::from(uri)))))
    }

    fn keep(self: &Arc<Self>, uri: &Arc<str>) -> Kept {
        let config = self.issuer.config();
        let rules = Rules {
            leeway: config.leeway,
            max_stale: config.keyring.max_stale,
        };
        // Whoever keeps a list does not keep the shelf: its issuer may go.
        let [fetching, telling, going] = [(); 3].map(|()| (Arc::downgrade(self), Arc::clone(uri)));
        Kept::start(
            rules,
            Arc::clone(&self.clock),
            move || fetched(fetching.0.clone(), Arc::clone(&fetching.1)),
            move |fetched| {
                let owner = telling.0.upgrade();
                owner.is_some_and(|owner| owner.told(&telling.1, &fetched))
            },
            move || {
                if let Some(owner) = going.0.upgrade() {
                    owner.lists.invalidate(&*going.1);
                }
            },
        )
    }

    async fn fetch(&self, uri: &str) -> (Instant, Result<Signed, ListError>) {
        // Never closed; without a turn there would only be more at once.
        let _turn = self.fetching.acquire().await;
        let began = Instant::now();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
        let fetched = match self.client.get(uri, headers, MAX_TOKEN).await {
            Ok(answer) => token::read(answer, uri, &self.issuer, self.clock.now()).await,
            Err(error) => Err(error.into()),
        };
        (began, fetched)
    }

    /// Counts and weighs what came; whether the list is still on the shelf.
    fn told(&self, uri: &str, fetched: &Result<(), ListError>) -> bool {
        let count = match fetched {
            Ok(()) => &self.counts.ok,
            Err(error) if error.is_refusal() => &self.counts.refused,
            Err(_) => &self.counts.unanswered,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = fetched {
            // Its URL stands in tokens: the issuer's name must do.
            tracing::warn!(issuer = &*self.issuer.config().name, %error, "a status list could not be fetched");
        }
        let weighed = self
            .lists
            .entry_by_ref(uri)
            .and_compute_with(|entry| entry.map_or(Op::Nop, |entry| Op::Put(entry.into_value())));
        !matches!(weighed, CompResult::StillNone(_))
    }
}

/// In a task of its own, whose panic is an error like any other.
async fn fetched(
    shelf: Weak<Shelf>,
    uri: Arc<str>,
) -> Option<(Instant, Result<Signed, ListError>)> {
    let began = Instant::now();
    let shelf = shelf.upgrade()?;
    let fetch = tokio::spawn(async move { shelf.fetch(&uri).await });
    let fetched = AbortOnDropHandle::new(fetch).await;
    Some(fetched.unwrap_or_else(|panicked| (began, Err(panicked.into()))))
}
