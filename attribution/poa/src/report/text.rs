//! A text with the spans in it that stand in records.

use super::{
    charts::colour,
    html::{grouped, Escaped},
    left_out, TracedSpan,
};
use std::{collections::HashMap, fmt::Write as _};

/// Bytes of a text that a page shows.
const MAX_TEXT: usize = 500_000;
/// Spans in the table.
const MAX_SPANS: usize = 200;
/// Characters of a span in the table.
const MAX_SHOWN: usize = 160;

/// The start of the character that the byte at `at` is in.
fn boundary(text: &[u8], at: usize) -> usize {
    let at = at.min(text.len());
    // A character has at most three bytes behind its first.
    (0..4)
        .filter_map(|back| at.checked_sub(back))
        .find(|at| text.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80))
        .unwrap_or(at)
}

/// The text. Spans overlap; what an earlier one has is coloured as that.
pub(super) fn coloured(text: &[u8], spans: &[TracedSpan<'_>], owners: &[(&str, usize)]) -> String {
    let numbers = owners
        .iter()
        .enumerate()
        .map(|(number, (owner, _))| (*owner, number))
        .collect::<HashMap<_, _>>();
    let end = boundary(text, MAX_TEXT);
    let part = |from: usize, to: usize| {
        let text = String::from_utf8_lossy(&text[from..to]);
        Escaped(&text).to_string()
    };
    let mut out = "<div class=\"text\" dir=\"auto\">".to_owned();
    let mut at = 0;
    for (number, span) in spans.iter().enumerate() {
        let from = boundary(text, span.start).clamp(at, end);
        let to = boundary(text, span.start + span.length).clamp(from, end);
        out.push_str(&part(at, from));
        at = to;
        if from == to {
            continue;
        }
        let owner = numbers.get(span.owner).copied().unwrap_or(owners.len());
        let shown = part(from, to);
        let _ = write!(
            out,
            "<mark class=\"{}\" tabindex=\"0\" aria-describedby=\"s{number}\">{shown}<sup>{}</sup>\
             <span class=\"tip\" role=\"tooltip\" id=\"s{number}\"><b><bdi>{}</bdi></b><br>\
             <bdi>{}</bdi>, from byte {}<br>{} bytes, {} in records, {:.1} nats{}</span></mark>",
            colour(owner),
            owner + 1,
            Escaped(span.owner),
            Escaped(span.record),
            grouped(span.offset.into()),
            grouped(span.length as u64),
            times(span.count),
            span.surprisal,
            elsewhere(span),
        );
    }
    out.push_str(&part(at, end));
    out.push_str("</div>\n");
    if end < text.len() {
        let _ = writeln!(
            out,
            "<p>The first {} of {} bytes are shown.</p>",
            grouped(end as u64),
            grouped(text.len() as u64)
        );
    }
    out
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{} times", grouped(count)),
    }
}

/// The owners beside the first.
fn elsewhere(span: &TracedSpan<'_>) -> String {
    let others = span
        .owners
        .iter()
        .filter(|owner| *owner != span.owner)
        .map(|owner| format!("<bdi>{}</bdi>", Escaped(owner)))
        .collect::<Vec<_>>();
    if others.is_empty() {
        String::new()
    } else {
        format!("<br>also with {}", others.join(", "))
    }
}

/// The spans as a table, the most surprising first.
pub(super) fn table(spans: &[TracedSpan<'_>], text: &[u8]) -> String {
    let mut order = spans.iter().collect::<Vec<_>>();
    order.sort_by(|a, b| {
        b.surprisal
            .total_cmp(&a.surprisal)
            .then(a.start.cmp(&b.start))
    });
    let caption = "Spans that stand in records, the most surprising first";
    let mut out = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\
         <caption>{caption}</caption>\n<thead><tr><th scope=\"col\">span</th>\
         <th scope=\"col\">first written by</th><th scope=\"col\">record</th>\
         <th scope=\"col\" class=\"n\">at byte</th><th scope=\"col\" class=\"n\">times</th>\
         <th scope=\"col\" class=\"n\">nats</th></tr></thead>\n<tbody>\n"
    );
    for span in order.iter().take(MAX_SPANS) {
        let from = boundary(text, span.start);
        let to = boundary(text, span.start + span.length).max(from);
        let whole = String::from_utf8_lossy(&text[from..to]);
        let mut shown = whole.chars().take(MAX_SHOWN).collect::<String>();
        if shown.len() < whole.len() {
            shown.push('…');
        }
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\" class=\"span\"><bdi>{}</bdi></th><td><bdi>{}</bdi></td>\
             <td><bdi>{}</bdi></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td></tr>",
            Escaped(&shown),
            Escaped(span.owner),
            Escaped(span.record),
            grouped(span.offset.into()),
            grouped(span.count),
            span.surprisal
        );
    }
    out.push_str("</tbody></table></div>\n");
    let left = left_out(spans.len().min(MAX_SPANS), spans.len(), "spans");
    if !left.is_empty() {
        let _ = writeln!(out, "<p>{left}</p>");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_cut() {
        let text = "aé漢😀".as_bytes();
        let starts = (0..=text.len())
            .map(|at| boundary(text, at))
            .collect::<Vec<_>>();
        assert_eq!(starts, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        assert_eq!(boundary(b"\x80\x80\x80\x80\x80", 4), 4);
    }

    #[test]
    fn overlapping_spans_share_the_text_out() {
        let span = |start, length| TracedSpan {
            start,
            length,
            count: 1,
            surprisal: 1.0,
            record: "r",
            offset: 0,
            owner: "o",
            owners: &[],
        };
        let out = coloured(
            b"abcdefgh",
            &[span(1, 4), span(3, 4), span(3, 2)],
            &[("o", 6)],
        );
        let plain = out.replace("<sup>1</sup>", "|");
        assert!(
            plain.starts_with("<div class=\"text\" dir=\"auto\">a<mark"),
            "{out}"
        );
        assert!(plain.contains(">bcde|") && plain.contains(">fg|") && plain.ends_with("h</div>\n"));
        assert_eq!(out.matches("<mark").count(), 2);
    }
}
