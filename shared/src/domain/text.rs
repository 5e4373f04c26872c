//! What people type and paste: the characters that nobody sees in it.

/// True for what is drawn as nothing: `Default_Ignorable_Code_Point` of Unicode 17, and the blank of Braille.
pub(crate) const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// True for the invisible characters that come along with copied text and mean nothing in it: where a word may break,
/// which way it runs, where a file begins. The others belong to words: joiners (Persian, emoji), variants, fillers.
pub(crate) const fn is_stray(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text without what strayed into it.
#[must_use]
pub(crate) fn unstrayed(text: &str) -> String {
    text.chars().filter(|character| !is_stray(*character)).collect()
}

/// The text without anything that is not seen: for what machines read, such as numbers and addresses.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|character| !is_invisible(*character)).collect()
}

/// How many characters a reader sees, blanks between them included.
pub(crate) fn seen(text: &str) -> usize {
    text.chars().filter(|character| !is_invisible(*character)).collect::<String>().trim().chars().count()
}

/// The digit that a character of any script stands for.
pub(crate) fn digit(character: char) -> Option<char> {
    // The zeros of the scripts whose keyboards have digits of their own; the other nine follow each.
    const ZEROS: [char; 16] = [
        '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{be6}', '\u{c66}',
        '\u{ce6}', '\u{e50}', '\u{ed0}', '\u{1040}', '\u{17e0}', '\u{ff10}',
    ];
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(character).checked_sub(u32::from(*zero))?;
        char::from_digit(value, 10)
    })
}

/// True for text without anything that breaks a line, a mail header or the reading order.
pub(crate) fn is_one_line(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// The same where lines may break.
pub(crate) fn is_text(text: &str) -> bool {
    text.chars().all(|character| is_plain(character) || character == '\n' || character == '\t')
}

/// False for what breaks a line or a mail header, and for what strayed in and should be gone by now.
fn is_plain(character: char) -> bool {
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    let annotates = matches!(character, '\u{fff9}'..='\u{fffb}');
    !(character.is_control() || is_stray(character) || breaks || annotates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strays_into_copied_text_is_left_out_and_what_joins_letters_stays() {
        assert_eq!(unstrayed("\u{feff}Mo\u{200f}ha\u{ad}med\u{202a}\u{2069}"), "Mohamed");
        // Persian needs its non-joiner, a family and a heart their joiner and variant.
        for text in ["نرگس\u{200c}ها", "👩\u{200d}👧", "❤\u{fe0f}", "🏴\u{e0067}\u{e007f}"] {
            assert_eq!(unstrayed(text), text);
        }
        assert_eq!(visible("\u{202a}+1\u{fe0d}\u{200d}2\u{2069}"), "+12");
    }

    #[test]
    fn what_nobody_sees_counts_for_nothing() {
        for text in ["", " \u{200b}\u{200b} ", "\u{3164}\u{3164}", "\u{200d}\u{a0}\u{fe0f}", "\u{2800}\u{115f}"] {
            assert_eq!(seen(text), 0, "{text:?}");
        }
        assert_eq!(seen(" Jo\u{200b} "), 2);
    }

    #[test]
    fn digits_of_other_scripts_are_digits() {
        let read = |text: &str| text.chars().map(digit).collect::<Option<String>>();
        for text in ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"]
        {
            assert_eq!(read(text).as_deref(), Some("0123456789"), "{text}");
        }
        assert_eq!(read("²"), None);
    }
}
