//! Reads a YAML document as a tree whose nodes know their line. It refuses aliases and tags: a settings file does not
//! need them, and with aliases a small file can expand to a very large tree.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

/// The deepest nesting of lists and mappings. A settings file needs four levels.
const MAX_DEPTH: usize = 16;

/// A node and its first line, from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// An empty value, `~` or `null`.
    Null,
    /// A scalar, as written in the file.
    Text(String),
    List(Vec<Node>),
    /// Unique keys with their lines and values, in the order of the file.
    Mapping(Vec<(String, usize, Node)>),
}

/// Why a document was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) line: usize,
    pub(super) message: String,
}

impl Value {
    /// The kind of value, for error messages. They never show the value itself.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a scalar",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the only document of a file; an empty file is `Null`.
pub(super) fn parse(text: &str) -> Result<Node, Refusal> {
    let mut events = Events { parser: Parser::new_from_str(text), line: 1 };
    let mut document = None;
    loop {
        match events.next()? {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if document.is_some() => {
                return events.refuse("Expected one document but received more");
            }
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            event => document = Some(events.node(event, 0)?),
        }
    }
    Ok(document.unwrap_or(Node { line: 1, value: Value::Null }))
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The line of the last event.
    line: usize,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Event<'a>, Refusal> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(Refusal {
                line: error.marker().line(),
                message: format!("Expected YAML: {}", error.info()),
            }),
            None => Ok(Event::StreamEnd),
        }
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal { line: self.line, message: message.into() })
    }

    /// Reads the node that starts with this event.
    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Refusal> {
        let line = self.line;
        if depth > MAX_DEPTH {
            return self.refuse(format!("Expected at most {MAX_DEPTH} levels but received more"));
        }
        let value = match event {
            Event::Scalar(text, style, _, None) => match (style, &*text) {
                (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
                _ => Value::Text(text.into_owned()),
            },
            Event::SequenceStart(_, None) => Value::List(self.list(depth)?),
            Event::MappingStart(_, None) => Value::Mapping(self.mapping(depth)?),
            Event::Alias(_) => {
                return self.refuse("Expected a value but received an alias, which is not supported");
            }
            _ => return self.refuse("Expected a value but received a tag, which is not supported"),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Refusal> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(nodes),
                event => nodes.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(String, usize, Node)>, Refusal> {
        let mut entries: Vec<(String, usize, Node)> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, _, _, None) => text.into_owned(),
                _ => return self.refuse("Expected a scalar for a key but received something else"),
            };
            let line = self.line;
            if !keys.insert(key.clone()) {
                return self.refuse(format!("Expected every key once but received {key:?} twice"));
            }
            let event = self.next()?;
            entries.push((key, line, self.node(event, depth + 1)?));
        }
    }
}
