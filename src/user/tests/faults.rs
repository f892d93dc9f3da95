//! Whatever a directory answers, whatever is told and when: the promises of the user cache hold.
//!
//! Random histories are played in paused time; the model in `history` knows nothing of the cache
//! but what is promised, and judges each outcome by what was answered and told.

mod case;
mod history;
mod liar;
mod neighbours;

use super::world::{key, millis, secs};
use crate::clock::{Clock as _, SystemClock};
use crate::event::{self, Event, Version, Whom};
use crate::load::Load;
use crate::user::directory::Change;
use crate::user::*;
use case::{Case, Step, Tell, case};
use history::{History, Outcome, Rules, START, Seen};
use liar::Liar;
use proptest::prelude::*;
use std::time::Duration;

/// Three users, two of whom share a subject.
const PEOPLE: [(&str, &str); 3] = [("acme", "alice"), ("acme", "bob"), ("globex", "alice")];

const CANARY: (&str, &str) = ("acme", "canary");

/// Everything that is played with.
struct Stage<'c> {
    case: &'c Case,
    users: Users,
    ledger: Ledger,
    liar: Liar,
    load: Load,
}

fn config(case: &Case) -> Config {
    let mut config = super::world::config();
    config.cache.stale_while_revalidate = secs(5);
    config.cache.stale_if_error = secs(60);
    config.cache.tombstone_for = secs(90);
    config.creation_grace = secs(case.grace);
    if case.canary {
        config.canaries = vec![Canary {
            realm: "realm".into(),
            issuer: "https://id.example.com".into(),
            tenant: Some(CANARY.0.into()),
            subject: CANARY.1.into(),
        }];
    }
    if case.guard {
        config.vanish_guard = VanishGuard {
            share: 0.3,
            window: secs(20),
            min: 1,
        };
    }
    config
}

impl Stage<'_> {
    fn new(case: &Case) -> Stage<'_> {
        let config = config(case);
        let rules = Rules {
            cache: config.cache.clone(),
            fence_for: config.longest_answer(),
            grace: config.creation_grace,
            versioned: case.versioned,
            canary: case.canary,
            guard: case.guard,
            kinds: case.kinds.clone(),
        };
        let liar = Liar::new(case.versioned, History::new(rules));
        let ledger = Ledger::new(
            event::Settings {
                fence_for: config.longest_answer(),
                tombstone_for: config.cache.tombstone_for,
                alias_for: config.alias_for,
            },
            event::TenantForm::as_written(),
        );
        let users = Users::new(
            config,
            Box::new(liar.clone()),
            ledger.clone(),
            Arc::new(SystemClock),
        );
        Stage {
            case,
            users,
            ledger,
            liar,
            load: Load::new(100, 100),
        }
    }

    async fn play(&mut self) -> Result<(), String> {
        for step in &self.case.steps {
            // No two things happen at one moment.
            tokio::time::sleep(millis(1)).await;
            match step.clone() {
                Step::Says(who, mood) => self.liar.now_says(PEOPLE[who], mood),
                Step::Canary(mood) => self.liar.now_says(CANARY, mood),
                Step::Pass(time) => tokio::time::sleep(millis(time)).await,
                Step::Ask(who, token) => self.ask(who, token).await?,
                Step::AskWhile(who, token, after, tell) => {
                    let change = async {
                        // Between the milliseconds of everything else.
                        tokio::time::sleep(millis(after) + Duration::from_nanos(300)).await;
                        self.tell(tell);
                    };
                    let (outcome, ()) = tokio::join!(self.ask(who, token), change);
                    outcome?;
                }
                Step::Tell(tell) => self.tell(tell),
                Step::Missed => {
                    self.users.shared.learn(Change::Missed);
                    self.liar.history().missed(Instant::now());
                }
                Step::Forget(who) => {
                    let (tenant, subject) = PEOPLE[who];
                    self.users.forget(&key(tenant, subject).query());
                    self.liar.history().forgotten(PEOPLE[who], Instant::now());
                }
                Step::Reload(settings, anew) => self.reload(settings, anew),
            }
        }
        Ok(())
    }

    fn reload(&mut self, to: case::Settings, anew: bool) {
        let mut config = self.users.config().clone();
        config.cache = Cache {
            fresh: secs(to.fresh),
            stale_while_revalidate: secs(to.stale_while_revalidate),
            stale_if_error: secs(to.stale_if_error),
            not_found_for: secs(to.not_found_for),
            max_memory: to.max_memory,
            ..config.cache
        };
        if self.case.guard {
            config.vanish_guard = VanishGuard {
                share: to.share,
                window: secs(to.window),
                min: to.min,
            };
        }
        self.users = if anew {
            let directory = Box::new(self.liar.clone());
            self.users.reconnected(&config, directory)
        } else {
            self.users.reconfigured(&config)
        };
        self.users.take_over();
        self.liar.history().reloaded(&config.cache, Instant::now());
    }

    async fn ask(&self, who: usize, token: Option<u64>) -> Result<(), String> {
        let now = Instant::now();
        let (tenant, subject) = PEOPLE[who];
        let key = key(tenant, subject);
        let place = self.load.admit(now + secs(60)).unwrap();
        let token = token.map(secs);
        let asked = Asked { now, issued: token };
        let found = self.users.find(key.query(), asked, &place).await;
        let seen = Seen {
            who: PEOPLE[who],
            began: now,
            ended: Instant::now(),
            token,
            outcome: Outcome::from(&found),
        };
        let judged = self.liar.history().judge(seen.clone());
        judged.map_err(|why| format!("{why}: {seen:?}"))
    }

    fn tell(&self, tell: Tell) {
        let (tenant, subject) = PEOPLE[tell.who];
        let whom = if tell.by_id {
            Whom::Id(liar::id(PEOPLE[tell.who]).into())
        } else {
            Whom::Subject(subject.into())
        };
        let change = tell.change as u64;
        let event = Event {
            kind: self.case.kinds[tell.change].clone(),
            time: START.plus(secs(change)),
            realm: "realm".into(),
            tenant: (!tell.everywhere).then(|| tenant.into()),
            whom: Some(whom.clone()),
            version: self.case.versioned.then_some(Version::Number(change)),
        };
        event::apply(&event, &self.ledger, SystemClock.now()).unwrap();
        let fence = (whom, event.tenant);
        self.liar.history().told(fence, tell.change, Instant::now());
    }
}

pub(super) fn in_paused_time<T>(play: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(play)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_answer_is_trusted_beyond_its_worth_and_no_user_is_lost(case in case()) {
        let played = in_paused_time(async { Stage::new(&case).play().await });
        if let Err(why) = played {
            prop_assert!(false, "{}", why);
        }
    }
}
