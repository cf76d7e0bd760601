//! The form in which records are compared.

/// The canonical form of a record: letters in lower case, each run of white space one space, none at
/// either end.
///
/// White space and lower case are Unicode's, character by character (`ß` stays, `İ` becomes two
/// characters). Bytes that are not UTF-8 stay as they are, so any record has a canonical form, and that
/// of a canonical form is itself. Nothing else is unified: look-alike letters, full-width forms,
/// combining accents and invisible characters make other words. Whoever replaces letters so in every
/// few words is not found; what a model learns from the record is not the same then either.
pub fn canonical(record: &[u8]) -> Vec<u8> {
    let mut form = Vec::with_capacity(record.len());
    let mut space = false;
    for chunk in record.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_whitespace() {
                space = !form.is_empty();
                continue;
            }
            if std::mem::take(&mut space) {
                form.push(b' ');
            }
            if character.is_ascii() {
                form.push(character.to_ascii_lowercase() as u8);
                continue;
            }
            for lower in character.to_lowercase() {
                form.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        if !chunk.invalid().is_empty() {
            if std::mem::take(&mut space) {
                form.push(b' ');
            }
            form.extend_from_slice(chunk.invalid());
        }
    }
    form
}

/// BLAKE3 of the canonical form of a record: equal for records that differ only in case and white space.
pub fn content_hash(record: &[u8]) -> [u8; 32] {
    *blake3::hash(&canonical(record)).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn forms_are_those_of_words_and_stay(text in "[ \t\n\u{a0}aBÉİßΣ\u{3000}]{0,40}", tail in any::<Vec<u8>>()) {
            let words = text.split_whitespace();
            let expected = words
                .map(|word| word.chars().flat_map(char::to_lowercase).collect::<String>())
                .collect::<Vec<_>>()
                .join(" ");
            prop_assert_eq!(canonical(text.as_bytes()), expected.into_bytes());
            let any = [text.as_bytes(), &tail].concat();
            let once = canonical(&any);
            prop_assert_eq!(&canonical(&once), &once);
        }
    }

    #[test]
    fn bytes_that_are_not_text_stay() {
        assert_eq!(canonical(b" \xffA \n\xc3\t "), b"\xffa \xc3");
        assert_eq!(content_hash(b"The  End\n"), content_hash(b"the end"));
        assert_ne!(content_hash(b"the end"), content_hash(b"theend"));
    }
}
