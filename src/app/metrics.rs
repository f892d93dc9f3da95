//! What the parts know of themselves, asked at each scrape.

mod events;
mod families;
mod status_lists;
mod users;

use super::Parts;
use crate::event::Ledger;
use crate::load::Load;
use crate::server::generation::Generation;
use crate::token::issuer::Issuer;
use arc_swap::ArcSwap;
use families::{counter, gauge, read, single, whole};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// How reloads went.
#[derive(Clone, Debug, Default)]
pub(super) struct Reloads(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    refused: AtomicU64,
}

impl Reloads {
    pub(super) fn taken(&self) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Registers what is asked of the parts.
pub(super) fn register(registry: &mut Registry, parts: &Parts) {
    registry.register_collector(Box::new(State {
        current: Arc::clone(&parts.current),
        issuers: Arc::clone(&parts.issuers),
        ledger: parts.ledger.clone(),
        load: parts.load.clone(),
        reloads: parts.reloads.clone(),
    }));
}

#[derive(Debug)]
struct State {
    current: Arc<ArcSwap<Generation>>,
    issuers: Arc<ArcSwap<Vec<Arc<Issuer>>>>,
    ledger: Ledger,
    load: Load,
    reloads: Reloads,
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.issuers(&mut encoder)?;
        let generation = self.current.load();
        users::write(&mut encoder, generation.decider.users())?;
        status_lists::write(&mut encoder, generation.decider.status_lists())?;
        events::write(&mut encoder, &self.ledger)?;
        let (tokens, token_bytes) = generation.decider.tokens().remembered();
        single(
            &mut encoder,
            "remembered_tokens",
            "Verified tokens that are remembered",
            None,
            &ConstGauge::new(whole(tokens)),
        )?;
        single(
            &mut encoder,
            "remembered_tokens",
            "About what remembered tokens take",
            Some(&Unit::Bytes),
            &ConstGauge::new(whole(token_bytes)),
        )?;
        let (in_flight, waiting) = self.load.now();
        let state = |name| [("state", name)];
        let load = [
            (state("in_flight"), whole(in_flight as u64)),
            (state("waiting"), whole(waiting as u64)),
        ];
        gauge(
            &mut encoder,
            "load",
            "Decisions that are being made, and decisions that wait for a key, a status list or a look-up",
            None,
            &load,
        )?;
        let result = |name| [("result", name)];
        let Counts { taken, refused } = &*self.reloads.0;
        let reloads = [
            (result("taken"), read(taken)),
            (result("refused"), read(refused)),
        ];
        counter(
            &mut encoder,
            "config_reloads",
            "Reloads of the configuration by result",
            &reloads,
        )
    }
}

impl State {
    fn issuers(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let issuers = self.issuers.load();
        let now = Instant::now();
        let (mut keys, mut ages, mut fetches) = (Vec::new(), Vec::new(), Vec::new());
        for issuer in issuers.iter() {
            let name = || [("issuer", issuer.config().name.to_string())];
            let held = issuer.keyring().held(now);
            keys.push((name(), whole(held.map_or(0, |(count, _)| count as u64))));
            if let Some((_, age)) = held {
                ages.push((name(), age.as_secs_f64()));
            }
            let counts = issuer.keyring().counts();
            for (result, count) in [("ok", &counts.replaced), ("error", &counts.failed)] {
                fetches.push((
                    [
                        ("issuer", issuer.config().name.to_string()),
                        ("result", result.to_owned()),
                    ],
                    read(count),
                ));
            }
        }
        gauge(encoder, "keys", "Keys held, by issuer", None, &keys)?;
        gauge(
            encoder,
            "keys_age",
            "Age of the key set that is held, by issuer",
            Some(&Unit::Seconds),
            &ages,
        )?;
        counter(
            encoder,
            "key_fetches",
            "Fetches of key sets, by issuer and result",
            &fetches,
        )
    }
}
