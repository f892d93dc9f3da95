use super::*;
use parking_lot::Mutex;
use std::sync::{Arc, mpsc};
use tracing::subscriber::with_default;

/// Where the log of a test goes.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written for these events.
fn written(level: Level, format: Format, events: impl FnOnce()) -> String {
    let paper = Paper::default();
    let (subscriber, log) = log(level, format, paper.clone());
    with_default(subscriber, events);
    drop(log);
    String::from_utf8(std::mem::take(&mut *paper.0.lock())).unwrap()
}

fn parsed(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn json_is_one_flat_object_a_line_with_an_rfc_3339_time_in_utc() {
    let line = written(Level::Info, Format::Json, || {
        tracing::info!(issuer = "acme", keys = 3, "keys loaded");
    });
    assert_eq!(line.matches('\n').count(), 1);
    let object = parsed(&line);
    assert_eq!(object["level"], "INFO");
    assert_eq!(object["message"], "keys loaded");
    assert_eq!(object["issuer"], "acme");
    assert_eq!(object["keys"], 3);
    let time = object["timestamp"].as_str().unwrap();
    assert!(
        time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(),
        "{time}"
    );
}

#[test]
fn text_is_one_line_with_its_fields() {
    let line = written(Level::Info, Format::Text, || {
        tracing::warn!(issuer = "acme", keys = 3, user = %"u1", "keys loaded");
    });
    assert!(
        line.ends_with(" WARN keys loaded issuer=\"acme\" keys=3 user=u1\n"),
        "{line:?}"
    );
}

/// RUSTSEC-2025-0055, and what its fix leaves open: fields, line ends, C1 controls in JSON.
#[test]
fn nothing_a_client_sends_moves_a_terminal_or_begins_a_line() {
    const EVIL: &str = "a\u{1b}[2Jb\nINFO forged\r\u{7}\u{7f}\u{9b}31m\u{c2}\u{85}";
    for format in [Format::Json, Format::Text] {
        let lines = written(Level::Info, format, || {
            tracing::info!("{EVIL}");
            tracing::info!(shown = %EVIL, "m");
            tracing::info!(debugged = ?EVIL, "m");
            tracing::info!(text = EVIL, "m");
            let error = io::Error::other(EVIL);
            tracing::info!(error = &error as &dyn std::error::Error, "m");
            tracing::info_span!("span", shown = %EVIL).in_scope(|| tracing::info!("m"));
        });
        assert_eq!(lines.lines().count(), 6, "{lines}");
        for line in lines.split('\n') {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        assert!(lines.contains("forged") && lines.contains('Â'), "{lines}");
    }
}

#[test]
fn what_json_escapes_reads_back_as_it_was() {
    const EVIL: &str = "\u{7f}\u{80}\u{9f}\u{a0}Âé\u{1b}";
    let line = written(Level::Info, Format::Json, || tracing::info!(evil = EVIL));
    assert_eq!(parsed(&line)["evil"], EVIL);
}

#[test]
fn the_level_rules_our_events_and_libraries_stay_quiet() {
    let count = |level| {
        let lines = written(level, Format::Json, || {
            tracing::error!("own");
            tracing::warn!("own");
            tracing::info!("own");
            tracing::debug!("own");
            tracing::trace!("own");
            tracing::error!(target: "h2", "other");
            tracing::warn!(target: "h2", "other");
            tracing::info!(target: "h2", "other");
            tracing::debug!(target: "h2", "other");
            tracing::trace!(target: "h2", "other");
        });
        let of = |who: &str| lines.matches(&format!("\"message\":\"{who}\"")).count();
        (of("own"), of("other"))
    };
    assert_eq!(count(Level::Error), (1, 1));
    assert_eq!(count(Level::Warn), (2, 2));
    assert_eq!(count(Level::Info), (3, 2));
    assert_eq!(count(Level::Debug), (4, 3));
    assert_eq!(count(Level::Trace), (5, 3));
}

/// Writes nothing until it is let go.
struct Stuck(mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error is the sender's end: it is let go for good.
        let _let_go = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_is_stuck_drops_lines_and_counts_them_and_blocks_nobody() {
    let (let_go, held) = mpsc::channel();
    let (subscriber, log) = log(Level::Info, Format::Json, Stuck(held));
    let lines = WAITING + 100;
    with_default(subscriber, || {
        (0..lines).for_each(|_| tracing::info!("line"));
    });
    let dropped = log.dropped().count();
    // The writer holds what it took before it got stuck.
    assert!((1..=100).contains(&dropped), "{dropped}");
    drop(let_go);
}
