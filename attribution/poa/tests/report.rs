//! Pages for people: whole, escaped, and readable without network and script.

mod common;

use common::{done, refused};
use std::{fs, path::Path};

const NASTY: &str = "<script>alert('x')</script>&\"";

/// Checks that the tags of a page match, that it loads nothing, and returns it.
fn page(path: &Path) -> String {
    let page = fs::read_to_string(path).unwrap();
    assert!(
        page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"),
        "{page}"
    );
    assert!(page.contains("default-src 'none'"));
    for word in [
        "<script",
        "http:",
        "https:",
        "src=",
        "href=",
        "url(",
        "@import",
        "javascript",
    ] {
        assert!(!page.contains(word), "{word} in {page}");
    }
    let mut open = Vec::new();
    let mut rest = page.as_str();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        assert!(!tag.contains('<'), "<{tag}>");
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{rest}");
        } else if !tag.ends_with('/') && !["meta", "br", "!DOCTYPE"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    // Each table says what it is, each drawing too or is hidden from readers of screens.
    assert_eq!(
        page.matches("<table>").count(),
        page.matches("<caption>").count()
    );
    let described = page.matches("role=\"img\" aria-label=").count();
    let hidden = page.matches("<svg aria-hidden=\"true\"").count();
    assert_eq!(page.matches("<svg").count(), described + hidden);
    assert_eq!(page.matches("<h1>").count(), 1);
    page
}

#[test]
fn shares_are_shown_with_their_records() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("s.csv"), "3,1,0,-2\n").unwrap();
    fs::write(
        folder.join("owners"),
        format!("{NASTY}\nb\u{202e}\n{NASTY}\nc\n"),
    )
    .unwrap();
    let arguments = [
        "shares", "--scores", "s.csv", "--owners", "owners", "--clip", "1", "--report",
    ];
    done(folder, &[&arguments[..], &["r.html"]].concat());
    let first = page(&folder.join("r.html"));
    assert!(first.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
    assert!(
        first.contains("b\\u{202e}") && first.contains("75.000 %"),
        "{first}"
    );
    assert!(first.contains("record 0") && first.contains("750,000,000"));
    assert!(!first.contains("NaN") && !first.contains("inf%"));
    // The same results are the same page.
    done(folder, &[&arguments[..], &["r2.html"]].concat());
    assert_eq!(first, page(&folder.join("r2.html")));

    let message = refused(folder, 1, &[&arguments[..], &["r.txt"]].concat());
    assert!(message.contains("r.txt does not end in .html"), "{message}");
    let message = refused(folder, 1, &[&arguments[..], &["no/r.html"]].concat());
    assert!(message.contains("cannot write no/r.html"), "{message}");

    // Nobody gets anything.
    fs::write(folder.join("s.csv"), "0,0,0,0\n").unwrap();
    done(folder, &[&arguments[..], &["r.html"]].concat());
    assert!(page(&folder.join("r.html")).contains("nobody 100.000 %"));
}

#[test]
fn influence_is_shown_query_by_query() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("g.csv"), "1,0\n0,1\n-1,3e-9\n").unwrap();
    let arguments = [
        "influence",
        "grad-dot",
        "--train",
        "g.csv",
        "--queries",
        "g.csv",
        "--report",
        "r.html",
    ];
    done(folder, &arguments);
    let page = page(&folder.join("r.html"));
    assert!(page.contains("Query 2") && !page.contains("Query 3"));
    assert!(page.contains("\u{2212}1.0000"), "{page}");
    assert!(page.contains("class=\"minus\"") && page.contains("class=\"zero\""));
}

#[test]
fn spans_are_coloured_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let records = [
        ("it was <b>the best</b> of times", NASTY),
        ("the winter of déspair, in short", "bob"),
    ];
    let lines = records.map(|(text, owner)| {
        let name = format!("{owner}/1");
        serde_json::json!({"text": text, "owner": owner, "name": name}).to_string() + "\n"
    });
    fs::write(folder.join("r.jsonl"), lines.concat()).unwrap();
    let text = "He: <i>it was <b>the best</b> of</i>\r\n— the winter of dé\u{0}";
    fs::write(folder.join("t.txt"), text).unwrap();
    done(folder, &["index", "corpus", "r.jsonl", "--output", "i"]);
    let arguments = [
        "trace",
        "--index",
        "i",
        "--minimum",
        "8",
        "--report",
        "r.html",
        "t.txt",
    ];
    let printed = done(folder, &arguments);
    assert!(printed.contains("2 spans cover"), "{printed}");
    let shown = page(&folder.join("r.html"));
    let first = "it was &lt;b&gt;the best&lt;/b&gt; of<sup>1</sup>";
    assert!(shown.contains(first), "{shown}");
    assert!(shown.contains("the winter of dé<sup>2</sup>"), "{shown}");
    assert!(shown.contains("\\u{0}") && !shown.contains('\0'), "{shown}");
    assert!(shown.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;/1"));
    assert_eq!(shown.matches("<mark").count(), 2);

    // Any bytes are a text.
    fs::write(folder.join("t.txt"), b"\xff\xc3 it was <b>the best\xe2\x82").unwrap();
    done(folder, &arguments);
    page(&folder.join("r.html"));
}

#[test]
fn values_are_shown_with_their_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines = |of: fn(u32) -> u32| (0..12).map(|i| format!("{}\n", of(i))).collect::<String>();
    fs::write(folder.join("x.csv"), lines(|i| i)).unwrap();
    fs::write(folder.join("y"), lines(|i| i / 6)).unwrap();
    let owner = |i| if i < 4 { NASTY } else { "b" };
    let owners = (0..12).map(|i| owner(i).to_owned() + "\n");
    fs::write(folder.join("owners"), owners.collect::<String>()).unwrap();
    let files = [
        "--train",
        "x.csv",
        "--labels",
        "y",
        "--test",
        "x.csv",
        "--test-labels",
        "y",
        "--owners",
        "owners",
        "--report",
        "r.html",
        "--neighbours",
        "3",
    ];
    done(folder, &[&["value", "knn-shapley"], &files[..]].concat());
    let exact = page(&folder.join("r.html"));
    assert!(exact.contains("Most valuable") && exact.contains("Least valuable"));
    assert!(exact.contains("&lt;script&gt;"));
    let options = ["value", "banzhaf", "--model", "knn", "--count", "64"];
    done(folder, &[&options, &files[..]].concat());
    let sampled = page(&folder.join("r.html"));
    assert!(sampled.contains("with their 95 % intervals"), "{sampled}");
    for datum in 0..12 {
        let label = format!("<bdi>datum {datum}</bdi>");
        assert_eq!(sampled.matches(&label).count(), 1, "{datum}");
    }
    assert!(!sampled.contains("NaN"));
}
