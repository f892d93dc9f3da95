use super::*;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn not_found(strangers: &Strangers, subject: &str, tenant: usize, now: Instant) -> bool {
    let turn = strangers.admit("issuer", subject, Some(&tenant.to_string()), now);
    turn.map(|turn| turn.not_found(now + 5 * SECOND)).is_ok()
}

#[tokio::test(start_paused = true)]
async fn one_subject_has_two_look_ups_under_way_and_others_theirs() {
    let strangers = Strangers::default();
    let now = Instant::now();
    let admit = |issuer, subject| strangers.admit(issuer, subject, Some("acme"), now);
    let first = admit("i", "anna").unwrap();
    let _second = admit("i", "anna").unwrap();
    assert_eq!(admit("i", "anna").unwrap_err(), Crowded::UnderWay);
    assert!(admit("j", "anna").is_ok());
    assert!(admit("i", "bert").is_ok());
    drop(first);
    assert!(admit("i", "anna").is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_eleventh_tenant_is_refused_until_one_of_ten_is_forgotten() {
    let strangers = Strangers::default();
    let now = Instant::now();
    for tenant in 0..10 {
        assert!(not_found(&strangers, "anna", tenant, now));
    }
    let admit = |tenant: &str, now| strangers.admit("issuer", "anna", Some(tenant), now);
    assert_eq!(admit("11", now).unwrap_err(), Crowded::Tenants);
    assert_eq!(
        strangers.admit("issuer", "anna", None, now).unwrap_err(),
        Crowded::Tenants,
        "none is a tenant too"
    );
    assert!(not_found(&strangers, "bert", 11, now));
    // One of the ten is looked up again, and is there.
    admit("3", now).unwrap().found();
    assert!(not_found(&strangers, "anna", 11, now));
    assert_eq!(admit("12", now).unwrap_err(), Crowded::Tenants);
    assert_eq!(admit("12", now + 4 * SECOND).unwrap_err(), Crowded::Tenants);
    assert!(admit("12", now + 5 * SECOND).is_ok());
    assert_eq!(
        strangers.len(),
        0,
        "all has ended, and nothing is under way"
    );
}

#[tokio::test(start_paused = true)]
async fn a_look_up_under_way_counts_as_the_not_found_that_it_may_be() {
    let strangers = Strangers::default();
    let now = Instant::now();
    for tenant in 0..9 {
        assert!(not_found(&strangers, "anna", tenant, now));
    }
    let tenth = strangers.admit("issuer", "anna", Some("10"), now).unwrap();
    let eleventh = strangers.admit("issuer", "anna", Some("11"), now);
    assert_eq!(eleventh.unwrap_err(), Crowded::Tenants);
    tenth.found();
    assert!(strangers.admit("issuer", "anna", Some("11"), now).is_ok());
    strangers.clear();
    assert_eq!(strangers.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_not_found_ends_at_its_own_time_whatever_came_before_it() {
    let strangers = Strangers::default();
    let now = Instant::now();
    for (tenant, lasts) in [60, 5, 5, 5, 5, 5, 5, 5, 5, 5].into_iter().enumerate() {
        let turn = strangers.admit("issuer", "anna", Some(&tenant.to_string()), now);
        turn.unwrap().not_found(now + lasts * SECOND);
    }
    assert!(!not_found(&strangers, "anna", 11, now + 4 * SECOND));
    assert!(not_found(&strangers, "anna", 11, now + 5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_books_stay_within_their_bound() {
    let strangers = Strangers::default();
    let now = Instant::now();
    for subject in 0..MOST_NOT_FOUND + 1000 {
        assert!(not_found(&strangers, &subject.to_string(), 1, now));
    }
    assert!(strangers.len() <= MOST_NOT_FOUND + 1);
    let books = strangers.shared.books.lock();
    assert!(books.not_found.len() <= MOST_NOT_FOUND + 1);
}

proptest! {
    #[test]
    fn no_sequence_passes_the_bounds_or_leaves_anything_behind(
        steps in proptest::collection::vec((0..3_u8, 0..15_usize, 0..4_u8, 0..3_u32), 0..200),
    ) {
        let strangers = Strangers::default();
        let mut now = Instant::now();
        let mut turns: Vec<Turn> = Vec::new();
        for (subject, tenant, deed, after) in steps {
            now += SECOND * after;
            if deed == 0 || turns.is_empty() {
                let (subject, tenant) = (subject.to_string(), tenant.to_string());
                turns.extend(strangers.admit("issuer", &subject, Some(&tenant), now).ok());
            } else {
                let turn = turns.swap_remove(tenant % turns.len());
                match deed {
                    1 => turn.not_found(now + SECOND * 5),
                    2 => turn.found(),
                    _ => drop(turn),
                }
            }
            for subject in strangers.shared.books.lock().subjects.values() {
                prop_assert!(subject.under_way.len() <= MOST_UNDER_WAY);
                let stand = subject.not_found.iter().filter(|(_, until)| *until > now);
                prop_assert!(stand.count() <= MOST_TENANTS);
            }
        }
        turns.clear();
        drop(strangers.admit("issuer", "last", None, now + SECOND * 5));
        prop_assert_eq!(strangers.len(), 0);
    }
}
