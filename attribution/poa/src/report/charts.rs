//! Numbers as tables with drawings in them.

use super::{
    html::{grouped, percent, Escaped},
    DatumValue,
};
use std::fmt::Write as _;

/// Owners that have a colour of their own; the style sheet has as many.
pub(super) const COLOURS: usize = 6;
/// Points of a curve.
const POINTS: usize = 400;

/// The class of an owner's colour.
pub(super) fn colour(owner: usize) -> String {
    if owner < COLOURS {
        format!("c{owner}")
    } else {
        "others".to_owned()
    }
}

/// How numbers of a column are shown: all with as many decimals, over a power of ten where they are very
/// small or large.
pub(super) struct Scale {
    exponent: i32,
    decimals: usize,
}

impl Scale {
    /// For these numbers.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(0.0, |most: f64, value| most.max(value.abs()));
        let exponent = if most > 0.0 {
            most.log10().floor() as i32
        } else {
            0
        };
        if (-2..=4).contains(&exponent) {
            Self {
                exponent: 0,
                decimals: (4 - exponent) as usize,
            }
        } else {
            Self {
                exponent,
                decimals: 4,
            }
        }
    }

    /// The heading of a column of `what`, as HTML.
    pub(super) fn unit(&self, what: &str) -> String {
        if self.exponent == 0 {
            what.to_owned()
        } else {
            let exponent = minus(self.exponent.to_string());
            format!("{what}, × 10<sup>{exponent}</sup>")
        }
    }

    /// A number of the column.
    pub(super) fn show(&self, value: f64) -> String {
        // A power of ten at the end of the range has no reciprocal.
        let scaled = value / 10_f64.powi(self.exponent);
        let text = format!("{scaled:.*}", self.decimals);
        let zero = text.chars().all(|digit| "-0.".contains(digit));
        if zero {
            text.trim_start_matches('-').to_owned()
        } else {
            minus(text)
        }
    }
}

fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

/// A row of a table of bars.
pub(super) struct Bar {
    /// What it is about.
    pub(super) label: String,
    /// Other columns, as text.
    pub(super) details: Vec<String>,
    /// What is drawn.
    pub(super) value: f64,
}

/// Whether a text is a number, which stands at the right of its column.
fn is_number(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_ascii_digit() || ",.\u{2212} %".contains(character))
}

/// A table whose last column is drawn. `headings` are those of the details, as HTML, like `unit`.
pub(super) fn bars(
    caption: &str,
    what: &str,
    headings: &[&str],
    unit: &str,
    rows: &[Bar],
    show: impl Fn(f64) -> String,
) -> String {
    let numeric = |column: usize| rows.iter().all(|row| is_number(&row.details[column]));
    let class = |column| if numeric(column) { " class=\"n\"" } else { "" };
    let mut out = head(caption, what);
    for (column, heading) in headings.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{heading}</th>", class(column));
    }
    let _ = writeln!(
        out,
        "<th scope=\"col\" class=\"n\">{unit}</th><td class=\"d\"></td></tr></thead>\n<tbody>"
    );
    let classes = (0..headings.len()).map(class).collect::<Vec<_>>();
    let low = rows.iter().fold(0.0, |low: f64, row| low.min(row.value));
    let high = rows.iter().fold(0.0, |high: f64, row| high.max(row.value));
    let axis = Axis::new(low, high);
    for row in rows {
        let _ = write!(out, "<tr>{}", label(&row.label));
        for (detail, class) in row.details.iter().zip(&classes) {
            let _ = write!(out, "<td{class}><bdi>{}</bdi></td>", Escaped(detail));
        }
        let (from, to) = (axis.at(row.value.min(0.0)), axis.at(row.value.max(0.0)));
        let sign = if row.value < 0.0 { "minus" } else { "plus" };
        let _ = writeln!(
            out,
            "<td class=\"n\">{}</td><td class=\"d\"><svg aria-hidden=\"true\"><rect class=\"{sign}\" \
             x=\"{from:.2}%\" y=\"3\" width=\"{:.2}%\" height=\"12\"/>{}</svg></td></tr>",
            show(row.value),
            to - from,
            axis.zero(),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn head(caption: &str, what: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n\
         <table><caption>{caption}</caption>\n<thead><tr><th scope=\"col\">{}</th>",
        Escaped(what),
        caption = Escaped(caption),
    )
}

fn label(text: &str) -> String {
    format!("<th scope=\"row\"><bdi>{}</bdi></th>", Escaped(text))
}

/// Numbers as places from 0 to 100 %.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    fn at(&self, value: f64) -> f64 {
        if self.high > self.low {
            // Halves, since the difference of the ends of the range is beyond it.
            let length = self.high / 2.0 - self.low / 2.0;
            (100.0 * ((value / 2.0 - self.low / 2.0) / length)).clamp(0.0, 100.0)
        } else {
            0.0
        }
    }

    /// A line at zero, where there are numbers on both sides.
    fn zero(&self) -> String {
        if self.low < 0.0 && self.high > 0.0 {
            let zero = self.at(0.0);
            format!("<line class=\"zero\" x1=\"{zero:.2}%\" x2=\"{zero:.2}%\" y1=\"0\" y2=\"18\"/>")
        } else {
            String::new()
        }
    }
}

/// A bar of all parts of a whole, with a legend. What is left over is of nobody.
pub(super) fn stack(caption: &str, parts: &[(&str, f64)], whole: f64, nobody: &str) -> String {
    let share = |value: f64| if whole > 0.0 { value / whole } else { 0.0 };
    let (own, others) = parts.split_at(parts.len().min(COLOURS));
    let mut rows = own
        .iter()
        .enumerate()
        .map(|(owner, (name, value))| (colour(owner), (*name).to_owned(), share(*value)))
        .collect::<Vec<_>>();
    if !others.is_empty() {
        let sum = others.iter().map(|(_, value)| value).sum::<f64>();
        let name = format!("{} others", grouped(others.len() as u64));
        rows.push(("others".to_owned(), name, share(sum)));
    }
    let left = 1.0 - rows.iter().map(|(_, _, part)| part).sum::<f64>();
    // Less than a billionth is rounding.
    if left > 1e-9 {
        rows.push(("nobody".to_owned(), nobody.to_owned(), left));
    }
    let described = rows
        .iter()
        .map(|(_, name, part)| format!("{name} {}", percent(*part)))
        .collect::<Vec<_>>()
        .join(", ");
    let mut out = format!(
        "<figure>\n<figcaption>{}</figcaption>\n<svg class=\"stack\" role=\"img\" aria-label=\"{}: {}\">",
        Escaped(caption),
        Escaped(caption),
        Escaped(&described)
    );
    let mut start = 0.0;
    for (class, name, part) in &rows {
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{:.4}%\" width=\"{:.4}%\" height=\"100%\"><title>{} {}</title></rect>",
            100.0 * start,
            100.0 * part,
            Escaped(name),
            percent(*part)
        );
        start += part;
    }
    out.push_str("</svg>\n<ul class=\"legend\">\n");
    for (number, (class, name, part)) in rows.iter().enumerate() {
        let number = if number < own.len() {
            (number + 1).to_string()
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "<li><span class=\"chip {class}\">{number}</span> <bdi>{}</bdi> <span class=\"q\">{}</span></li>",
            Escaped(name),
            percent(*part)
        );
    }
    out.push_str("</ul>\n</figure>\n");
    out
}

/// A table of values whose intervals are drawn.
pub(super) fn intervals(caption: &str, rows: &[&DatumValue]) -> String {
    let ends = || rows.iter().map(|row| row.ends());
    let low = ends().fold(0.0, |low: f64, ends| low.min(ends.0));
    let high = ends().fold(0.0, |high: f64, ends| high.max(ends.1));
    let axis = Axis::new(low, high);
    let scale = Scale::of([low, high].into_iter());
    let known = rows.iter().any(|row| row.interval.is_some());
    let end = |end: f64| match end {
        f64::INFINITY => "∞".to_owned(),
        f64::NEG_INFINITY => minus("-∞".to_owned()),
        end => scale.show(end),
    };
    let mut out = head(caption, "datum");
    let unit = scale.unit("value");
    let _ = write!(out, "<th scope=\"col\" class=\"n\">{unit}</th>");
    if known {
        out.push_str(
            "<th scope=\"col\" class=\"n\">95 % from</th><th scope=\"col\" class=\"n\">to</th>",
        );
    }
    out.push_str("<td class=\"d\"></td></tr></thead>\n<tbody>\n");
    for row in rows {
        let name = label(&format!("datum {}", row.datum));
        let value = scale.show(row.value);
        let _ = write!(out, "<tr>{name}<td class=\"n\">{value}</td>");
        if known {
            let ends = row.interval.map(|(low, high)| (end(low), end(high)));
            let (low, high) = ends.unwrap_or_default();
            let _ = write!(
                out,
                "<td class=\"n q\">{low}</td><td class=\"n q\">{high}</td>"
            );
        }
        let (low, high) = row.ends();
        let _ = writeln!(
            out,
            "<td class=\"d\"><svg aria-hidden=\"true\">{}<line class=\"interval\" x1=\"{:.2}%\" \
             x2=\"{:.2}%\" y1=\"9\" y2=\"9\"/><circle cx=\"{:.2}%\" cy=\"9\" r=\"3.5\"/></svg></td></tr>",
            axis.zero(),
            axis.at(low),
            axis.at(high),
            axis.at(row.value),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// The values of all data from the highest to the lowest, with the band of their intervals.
pub(super) fn ranks(values: &[&DatumValue]) -> String {
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return String::new();
    };
    let count = values.len().min(POINTS);
    let points = (0..count)
        .map(|i| values[i * (values.len() - 1) / (count - 1).max(1)])
        .collect::<Vec<_>>();
    let low = |point: &&DatumValue| point.ends().0;
    let high = |point: &&DatumValue| point.ends().1;
    let axis = Axis::new(
        points.iter().map(low).fold(0.0, f64::min),
        points.iter().map(high).fold(0.0, f64::max),
    );
    let x = |i: usize| 1_000.0 * i as f64 / (count - 1).max(1) as f64;
    let y = |value: f64| 200.0 - 2.0 * axis.at(value);
    let path = |ys: &mut dyn Iterator<Item = (usize, f64)>| {
        ys.map(|(i, value)| format!("{:.1},{:.1}", x(i), y(value)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let upper = path(&mut points.iter().map(high).enumerate());
    let lower = path(&mut points.iter().map(low).enumerate().rev());
    let line = path(&mut points.iter().map(|point| point.value).enumerate());
    let scale = Scale::of([axis.low, axis.high].into_iter());
    let negative = values.iter().filter(|value| value.value < 0.0).count();
    let description = format!(
        "{} data from the most to the least valuable: {} down to {}, {} of them below zero",
        grouped(values.len() as u64),
        scale.show(first.value),
        scale.show(last.value),
        grouped(negative as u64)
    );
    let zero = y(0.0);
    format!(
        "<figure>\n<figcaption>Values by rank{} ({})</figcaption>\n<div class=\"plot\">\
         <span class=\"q\">{}</span><svg viewBox=\"0 0 1000 200\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\"><polygon points=\"{upper} {lower}\"/><line class=\"zero\" x1=\"0\" x2=\"1000\" \
         y1=\"{zero:.1}\" y2=\"{zero:.1}\"/><polyline points=\"{line}\"/></svg>\
         <span class=\"q\">{}</span></div>\n<p class=\"q\">{}.</p>\n</figure>\n",
        if points.iter().all(|point| low(point) == high(point)) { "" } else { ", with their 95 % intervals" },
        scale.unit("value"),
        scale.show(axis.high),
        Escaped(&description),
        scale.show(axis.low),
        Escaped(&description),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_column_share_their_scale() {
        let shown = |values: &[f64]| {
            let scale = Scale::of(values.iter().copied());
            let shown = values
                .iter()
                .map(|value| scale.show(*value))
                .collect::<Vec<_>>();
            (scale.unit("v"), shown.join(" "))
        };
        assert_eq!(
            shown(&[12.5, -0.25]),
            ("v".into(), "12.500 \u{2212}0.250".into())
        );
        assert_eq!(
            shown(&[-2.5e-7, 1e-9, -1e-20]),
            (
                "v, × 10<sup>\u{2212}7</sup>".into(),
                "\u{2212}2.5000 0.0100 0.0000".into()
            )
        );
        assert_eq!(shown(&[0.0]), ("v".into(), "0.0000".into()));
        assert_eq!(shown(&[f64::MAX]).0, "v, × 10<sup>308</sup>");
    }

    #[test]
    fn axes_hold_numbers_of_both_signs_and_any_size() {
        let axis = Axis::new(-f64::MAX, f64::MAX);
        assert_eq!(
            [-f64::MAX, 0.0, f64::MAX].map(|value| axis.at(value)),
            [0.0, 50.0, 100.0]
        );
        assert_eq!(Axis::new(0.0, 0.0).at(0.0), 0.0);
        assert!(Axis::new(0.0, 1.0).zero().is_empty());
    }

    #[test]
    fn the_stack_is_whole() {
        let parts = (0..9).map(|_| ("x", 0.1)).collect::<Vec<_>>();
        let out = stack("c", &parts, 1.0, "nobody");
        assert_eq!(out.matches("<rect").count(), COLOURS + 2);
        assert!(out.contains("3 others") && out.contains("nobody"), "{out}");
        assert!(!stack("c", &[("x", 1.0)], 1.0, "nobody").contains("nobody"));
    }
}
