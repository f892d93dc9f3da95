//! What may stand in a line: nothing that a terminal obeys, nothing that begins another line.
//!
//! tracing-subscriber escapes messages since RUSTSEC-2025-0055, but not fields, and no line ends.

use std::fmt::{self, Write as _};
use std::io;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatFields, Writer};

/// Writes fields as `name=value`, the message bare, every control character escaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped;

impl<'w> FormatFields<'w> for Escaped {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            first: true,
            written: Ok(()),
        };
        fields.record(&mut line);
        line.written
    }
}

struct Line<'w> {
    writer: Writer<'w>,
    first: bool,
    written: fmt::Result,
}

impl Line<'_> {
    fn write(&mut self, name: &str, value: &dyn fmt::Debug) -> fmt::Result {
        if !std::mem::take(&mut self.first) {
            self.writer.write_char(' ')?;
        }
        if name != "message" {
            write!(self.writer, "{name}=")?;
        }
        write!(Escape(&mut self.writer), "{value:?}")
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.written.is_ok() {
            self.written = self.write(field.name(), value);
        }
    }
}

/// Passes text on, control characters (C0, DEL and C1) escaped.
struct Escape<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.contains(char::is_control) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|char| {
            if char.is_control() {
                write!(self.0, "{}", char.escape_default())
            } else {
                self.0.write_char(char)
            }
        })
    }
}

/// Escapes what JSON allows inside strings and a terminal may obey: DEL and C1 controls.
///
/// It receives whole lines, in UTF-8, in which these characters can stand only inside strings.
pub(super) struct EscapeRest<W>(pub(super) W);

impl<W: io::Write> io::Write for EscapeRest<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut rest = line;
        while let Some(at) = rest.iter().position(|&byte| matches!(byte, 0x7f | 0xc2)) {
            let (plain, suspect) = rest.split_at(at);
            self.0.write_all(plain)?;
            rest = match suspect {
                [0x7f, rest @ ..] => {
                    self.0.write_all(br"\u007f")?;
                    rest
                }
                [0xc2, second @ 0x80..=0x9f, rest @ ..] => {
                    write!(self.0, "\\u00{second:02x}")?;
                    rest
                }
                [other, rest @ ..] => {
                    self.0.write_all(&[*other])?;
                    rest
                }
                [] => rest,
            };
        }
        self.0.write_all(rest)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
