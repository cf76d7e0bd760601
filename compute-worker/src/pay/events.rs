//! Server-sent events, as far as OpenAI's API uses them.

use serde_json::Value;

/// One event, or a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its bytes with the blank line at the end.
    pub(super) raw: Vec<u8>,
    /// Its data lines; empty for a comment.
    pub(super) data: String,
}

/// Cuts a stream of bytes into events.
#[derive(Debug, Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
}

impl Events {
    /// Adds bytes as they come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes of the event that is not whole yet.
    pub(super) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole event.
    pub(super) fn take(&mut self) -> Option<Event> {
        let ends = |mark: &[u8]| {
            self.buffer
                .windows(mark.len())
                .position(|window| window == mark)
                .map(|at| at + mark.len())
        };
        let end = ends(b"\n\n").into_iter().chain(ends(b"\r\n\r\n")).min()?;
        let raw: Vec<u8> = self.buffer.drain(..end).collect();
        let text = String::from_utf8_lossy(&raw);
        let lines: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| data.strip_prefix(' ').unwrap_or(data))
            .collect();
        let data = lines.join("\n");
        Some(Event { raw, data })
    }
}

/// One event with this data.
pub(super) fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// The text in the first choice of an answer or of a piece of one.
pub(super) fn text_of(object: &Value) -> &str {
    let choice = &object["choices"][0];
    [
        &choice["text"],
        &choice["delta"]["content"],
        &choice["message"]["content"],
    ]
    .into_iter()
    .find_map(Value::as_str)
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn success_events_are_whole_however_the_bytes_are_cut() {
        let stream =
            b": comment\n\ndata: {\"a\":\"\xc3\xa9\"}\n\ndata:one\r\ndata: two\r\n\r\nrest";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut found = Vec::new();
            for bytes in stream.chunks(size) {
                events.push(bytes);
                while let Some(event) = events.take() {
                    found.push(event);
                }
            }
            let data: Vec<_> = found.iter().map(|event| event.data.as_str()).collect();
            assert_eq!(data, ["", "{\"a\":\"é\"}", "one\ntwo"], "{size}");
            let raw: Vec<u8> = found.into_iter().flat_map(|event| event.raw).collect();
            assert_eq!([raw.as_slice(), b"rest"].concat(), stream);
            assert_eq!(events.pending(), 4);
        }
    }

    #[test]
    fn success_text_is_found_in_all_shapes() {
        assert_eq!(text_of(&json!({ "choices": [{ "text": "a" }] })), "a");
        assert_eq!(
            text_of(&json!({ "choices": [{ "delta": { "content": "b" } }] })),
            "b"
        );
        assert_eq!(
            text_of(&json!({ "choices": [{ "message": { "content": "c" } }] })),
            "c"
        );
        assert_eq!(text_of(&json!({ "choices": [] })), "");
    }
}
