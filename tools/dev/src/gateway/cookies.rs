//! The session's cookies for Safari and its kin (WebKitGTK): they keep no `Secure` cookie that comes over http, not even from
//! this machine, so that nobody could sign in there. Chromium and Firefox do, and meet the cookies as production sets them.

use std::borrow::Cow;

use http::{HeaderMap, header};

/// What binds a cookie to this very host over HTTPS; browsers refuse it without `Secure`.
const HOST: &str = "__Host-";

/// What takes its place.
const PLAIN: &str = "local-";

/// True for a browser that drops what is `Secure`.
pub(super) fn drops_secure(headers: &HeaderMap) -> bool {
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    browser.contains("AppleWebKit/") && !browser.contains("Chrome/") && !browser.contains("Chromium/")
}

/// A cookie that is set, as such a browser keeps it; all else that is said of it stays.
pub(super) fn plain(cookie: &str) -> String {
    let (prefix, rest) = cookie.strip_prefix(HOST).map_or(("", cookie), |rest| (PLAIN, rest));
    let kept: Vec<&str> = rest.split(';').filter(|part| !part.trim().eq_ignore_ascii_case("secure")).collect();
    format!("{prefix}{}", kept.join(";"))
}

/// A cookie that comes back, under the name that it was set by.
pub(super) fn as_set(cookie: &str) -> Cow<'_, str> {
    cookie.strip_prefix(PLAIN).map_or(Cow::Borrowed(cookie), |rest| format!("{HOST}{rest}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
    const WEBKIT_GTK: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15";
    const CHROMIUM: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36";
    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";

    #[test]
    fn only_safari_and_its_kin_drop_secure_cookies() {
        let of = |browser: &str| {
            drops_secure(&HeaderMap::from_iter([(header::USER_AGENT, browser.parse().expect("a header"))]))
        };
        assert!(of(SAFARI) && of(WEBKIT_GTK));
        assert!(!of(CHROMIUM) && !of(FIREFOX) && !of("curl/8.5.0") && !drops_secure(&HeaderMap::new()));
    }

    #[test]
    fn a_cookie_goes_out_plain_and_comes_back_as_it_was_set() {
        let set = "__Host-inkflow_session=a.b; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict";
        let plain = plain(set);
        assert_eq!(plain, "local-inkflow_session=a.b; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict");
        assert_eq!(as_set("local-inkflow_session=a.b"), "__Host-inkflow_session=a.b");
        assert_eq!(as_set("theme=dark"), "theme=dark");
        assert_eq!(super::plain("theme=dark; secure"), "theme=dark");
    }
}
