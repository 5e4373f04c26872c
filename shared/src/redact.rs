//! Takes what belongs to a person out of the words of a failure: a service's outside, or serde's.
//! Logs and job rows keep those words, and they may quote the client.

/// The longest text kept: some services answer an error with a web page.
const LONGEST: usize = 300;

/// The text with `…` in place of each word that holds an `@` or a long number, cut to a readable length.
pub fn without_addresses(text: &str) -> String {
    let mut kept = String::new();
    for word in text.split_whitespace() {
        if !kept.is_empty() {
            kept.push(' ');
        }
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
        let personal = word.contains('@')
            || word.contains("%40")
            // A name, as a mail's header holds it.
            || word.contains("=?UTF-8?")
            || (digits >= 8 && letters == 0);
        kept.push_str(if personal { "…" } else { word });
        if kept.len() > LONGEST {
            while kept.len() > LONGEST {
                kept.pop();
            }
            kept.push('…');
            break;
        }
    }
    kept
}

/// What serde says of JSON that it cannot read, without the values it met.
///
/// It quotes them: `invalid type: string "jo@example.fr", expected …`, and a number between back quotes.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let ends = text.rfind(", expected").or_else(|| text.rfind('"').map(|quote| quote + 1));
    match (text.find(['"', '`']), ends) {
        (Some(first), Some(end)) if first < end => format!("{}…{}", &text[..first], &text[end..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_left_out() {
        assert_eq!(
            without_addresses(
                "Email address is not verified: camille@example.com, =?UTF-8?B?TMOpYQ==?= <lea%40example.com> +33612345678"
            ),
            "Email address is not verified: … … … …"
        );
        assert_eq!(without_addresses("status 429 in eu-west-3"), "status 429 in eu-west-3");
    }

    #[test]
    fn a_web_page_is_cut() {
        let kept = without_addresses(&"é ".repeat(10_000));
        assert!(kept.len() <= LONGEST + '…'.len_utf8() && kept.ends_with('…'), "{}", kept.len());
    }
}
