//! Pages, and the way of anything into them.

use crate::output;
use anyhow::Result;
use std::{
    fmt::{self, Display, Write as _},
    io::Write as _,
    path::Path,
};

const STYLE: &str = include_str!("style.css");

/// Text from anywhere as text of HTML or of a quoted attribute. Control characters and those that change
/// the direction of text are shown as escapes, line breaks and tabs are kept.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' | '\t' => out.write_char(character)?,
                control if output::is_control(control) => {
                    write!(out, "{}", control.escape_default())?;
                }
                _ => out.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// A page under construction.
pub(super) struct Page {
    title: &'static str,
    question: &'static str,
    facts: String,
    body: String,
    headings: usize,
}

impl Page {
    pub(super) fn new(title: &'static str, question: &'static str) -> Self {
        Self {
            title,
            question,
            facts: String::new(),
            body: String::new(),
            headings: 0,
        }
    }

    /// One of the facts at the top.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        let (name, value) = (Escaped(name), Escaped(value));
        let fact = format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
        self.facts.push_str(&fact);
    }

    /// Starts a section.
    pub(super) fn heading(&mut self, heading: &str) {
        if self.headings > 0 {
            self.body.push_str("</section>\n");
        }
        self.headings += 1;
        let number = self.headings;
        let heading = Escaped(heading);
        self.push(&format!(
            "<section aria-labelledby=\"h{number}\">\n<h2 id=\"h{number}\">{heading}</h2>\n"
        ));
    }

    /// A paragraph, if there is anything to say.
    pub(super) fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(&format!("<p>{}</p>\n", Escaped(text)));
        }
    }

    /// HTML.
    pub(super) fn push(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// Writes the page to a file, which appears only when it is complete.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let end = if self.headings > 0 {
            "</section>\n"
        } else {
            ""
        };
        output::replace(path, |out| {
            write!(
                out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta http-equiv=\"Content-Security-Policy\" \
                 content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <meta name=\"color-scheme\" content=\"light dark\">\n\
                 <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
                 <header>\n<h1>{title}</h1>\n<p>{question}</p>\n<dl>\n{facts}</dl>\n</header>\n\
                 {body}{end}</main>\n<footer>Made by poa {version}.</footer>\n</body>\n</html>\n",
                title = Escaped(self.title),
                question = Escaped(self.question),
                facts = self.facts,
                body = self.body,
                version = env!("CARGO_PKG_VERSION"),
            )?;
            Ok(())
        })
    }
}

/// A whole number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A part of one in per cent.
pub(super) fn percent(part: f64) -> String {
    format!("{:.3} %", 100.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_text() {
        let text = Escaped("<script>\"it's\" & \u{0}\u{202e}\n</script>").to_string();
        assert_eq!(
            text,
            "&lt;script&gt;&quot;it&#39;s&quot; &amp; \\u{0}\\u{202e}\n&lt;/script&gt;"
        );
    }

    #[test]
    fn thousands_stand_apart() {
        let grouped = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }
}
