//! From the parser's events to a tree.

use super::{Entry, Kind, Node};
use crate::yaml::mistake::{Mistake, Path, Place, shown};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::Number;
use std::collections::HashSet;
use std::sync::Arc;

/// How deep lists and mappings may stand in each other.
const DEEPEST: usize = 64;

pub(super) fn build(file: &Arc<str>, text: &str) -> (Node, Vec<Mistake>) {
    let mut builder = Builder {
        file: file.clone(),
        parser: Parser::new_from_str(text),
        mistakes: Vec::new(),
    };
    let root = match builder.document() {
        Ok(root) => root,
        Err(stop) => {
            builder.mistakes.push(*stop);
            Node {
                place: builder.place_at(1, 0),
                kind: Kind::Spoiled,
            }
        }
    };
    (root, builder.mistakes)
}

struct Builder<'t> {
    file: Arc<str>,
    parser: Parser<'t, StrInput<'t>>,
    mistakes: Vec<Mistake>,
}

/// What makes it pointless to read on.
type Stop = Box<Mistake>;

impl<'t> Builder<'t> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_none() => {}
                Event::DocumentStart(_) => {
                    return Err(self
                        .stop(
                            &span,
                            "one document",
                            "a further one",
                            "write everything into one document, without `---`",
                        )
                        .into());
                }
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => root = Some(self.node(event, &span, &Path::default(), 0)?),
            }
        }
        let nothing = || Node {
            place: self.place_at(1, 0),
            kind: Kind::Null,
        };
        let mut root = root.unwrap_or_else(nothing);
        if matches!(root.kind, Kind::Null) {
            root.kind = Kind::Mapping(Vec::new());
        }
        Ok(root)
    }

    fn node(
        &mut self,
        event: Event<'t>,
        span: &Span,
        path: &Path,
        depth: usize,
    ) -> Result<Node, Stop> {
        if depth > DEEPEST {
            return Err(self
                .stop(
                    span,
                    &format!("at most {DEEPEST} levels of nesting"),
                    "more",
                    "write it flatter",
                )
                .into());
        }
        let place = self.place(span);
        let kind = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.is_plain(span, path, anchor, tag.is_some()) {
                    scalar(&text, style)
                } else {
                    Kind::Spoiled
                }
            }
            Event::SequenceStart(anchor, tag) => {
                let plain = self.is_plain(span, path, anchor, tag.is_some());
                let list = self.list(path, depth)?;
                if plain { list } else { Kind::Spoiled }
            }
            Event::MappingStart(anchor, tag) => {
                let plain = self.is_plain(span, path, anchor, tag.is_some());
                let mapping = self.mapping(path, depth)?;
                if plain { mapping } else { Kind::Spoiled }
            }
            Event::Alias(_) => {
                self.mistake(span, path, "a value", "an alias", "write the value out");
                Kind::Spoiled
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => {
                return Err(self.stop(span, "a value", "the end", "write one").into());
            }
        };
        Ok(Node { place, kind })
    }

    fn list(&mut self, path: &Path, depth: usize) -> Result<Kind, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Kind::List(items));
            }
            items.push(self.node(event, &span, &path.item(items.len()), depth + 1)?);
        }
    }

    fn mapping(&mut self, path: &Path, depth: usize) -> Result<Kind, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Kind::Mapping(entries));
            }
            let key = self.node(event, &span, path, depth + 1)?;
            let name = match key.kind {
                Kind::Text(name) => Some(name),
                Kind::Spoiled => None,
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Loose(_)
                | Kind::List(_)
                | Kind::Mapping(_) => {
                    self.mistake(
                        &span,
                        path,
                        "a text as key",
                        "something else",
                        "put the key in quotes",
                    );
                    None
                }
            };
            let below = name.as_ref().map_or_else(Path::default, |n| path.key(n));
            let (event, value_span) = self.next()?;
            let value = self.node(event, &value_span, &below, depth + 1)?;
            let Some(name) = name else { continue };
            if seen.insert(name.clone()) {
                entries.push(Entry {
                    key: name,
                    place: key.place,
                    value,
                });
            } else {
                let came = format!("{} again", shown(&name));
                self.mistake(
                    &span,
                    &below,
                    "each key once",
                    &came,
                    "remove one of the two",
                );
            }
        }
    }

    /// Whether a node bears neither anchor nor tag, which this project does not read.
    fn is_plain(&mut self, span: &Span, path: &Path, anchor: usize, tagged: bool) -> bool {
        if anchor != 0 {
            self.mistake(span, path, "a value", "an anchor", "remove the `&…`");
        }
        if tagged {
            self.mistake(span, path, "a value", "a tag", "remove the `!…`");
        }
        anchor == 0 && !tagged
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.malformed(&error).into()),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn malformed(&self, error: &ScanError) -> Mistake {
        Mistake {
            place: self.place_at(error.marker().line(), error.marker().col()),
            path: String::new(),
            expected: "well-formed YAML".to_owned(),
            came: format!("a syntax error ({})", error.info()),
            remedy: "check indentation, quotes, brackets and colons here".to_owned(),
        }
    }

    fn stop(&self, span: &Span, expected: &str, came: &str, remedy: &str) -> Mistake {
        Mistake {
            place: self.place(span),
            path: String::new(),
            expected: expected.to_owned(),
            came: came.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn mistake(&mut self, span: &Span, path: &Path, expected: &str, came: &str, remedy: &str) {
        let mut mistake = self.stop(span, expected, came, remedy);
        mistake.path = path.to_string();
        self.mistakes.push(mistake);
    }

    fn place(&self, span: &Span) -> Place {
        self.place_at(span.start.line(), span.start.col())
    }

    /// The parser counts lines from 1 and columns from 0.
    fn place_at(&self, line: usize, column: usize) -> Place {
        Place::File {
            file: self.file.clone(),
            line: line.max(1),
            column: column + 1,
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Kind {
    match style {
        ScalarStyle::Plain => typed(text),
        ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted
        | ScalarStyle::Literal
        | ScalarStyle::Folded => Kind::Text(text.to_owned()),
    }
}

/// A plain scalar under the core schema (YAML 1.2.2, 10.3.2), decimal numbers only.
pub(in crate::yaml) fn typed(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.ends_with(|last: char| last.is_ascii_digit() || last == '.')
        && digits
            .chars()
            .all(|character| matches!(character, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
    let number = if is_number { number(text) } else { None };
    number.map_or_else(|| Kind::Text(text.to_owned()), Kind::Number)
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    unsigned
        .parse::<u64>()
        .map(Number::from)
        .or_else(|_| unsigned.parse::<i64>().map(Number::from))
        .ok()
        .or_else(|| unsigned.parse().ok().and_then(Number::from_f64))
}
