//! The static site: which file a path means, in which language, and how it is sent.

use std::path::Path;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};

use super::refusals::problem;

/// A page of the site, in English where there is one and the reader prefers it: `infra/edge/router.js`.
pub(super) async fn file(site: &Path, method: &Method, path: &str, english: bool) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return ([(header::ALLOW, "GET, HEAD")], problem(StatusCode::METHOD_NOT_ALLOWED)).into_response();
    }
    for candidate in candidates(path) {
        if let Some(found) = read(site, &candidate, english).await {
            return page(StatusCode::OK, &candidate, found);
        }
    }
    match read(site, "404.html", english).await {
        Some(content) => page(StatusCode::NOT_FOUND, "404.html", content),
        None => page(StatusCode::NOT_FOUND, "404.txt", b"404\n".to_vec()),
    }
}

async fn read(site: &Path, name: &str, english: bool) -> Option<Vec<u8>> {
    let found = tokio::fs::read(site.join(name)).await.ok()?;
    let translated = site.join("en").join(name);
    Some(if english { tokio::fs::read(translated).await.unwrap_or(found) } else { found })
}

/// What `infra/edge/preferred.js` finds.
pub(super) fn preferred(uri: &http::Uri, headers: &HeaderMap) -> Option<&'static str> {
    let known = |tag: &str| {
        let tag = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        ["fr", "en"].into_iter().find(|known| *known == tag)
    };
    let asked = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
    if let Some(asked) = asked.and_then(known) {
        return Some(asked);
    }
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let (mut best, mut most) = (None, 0.0);
    for range in header.unwrap_or_default().split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let quality = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(1.0_f32);
        if let Some(language) = known(tag)
            && quality > most
        {
            (best, most) = (Some(language), quality);
        }
    }
    best
}

/// The files that a path of the site may mean, best first; none for a path that leaves the folder.
fn candidates(path: &str) -> Vec<String> {
    let Some(path) = percent_decoded(path) else { return Vec::new() };
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.iter().any(|segment| segment.starts_with('.') || segment.contains(['\\', '\0'])) {
        return Vec::new();
    }
    let path = segments.join("/");
    if path.is_empty() {
        return vec!["index.html".to_owned()];
    }
    vec![path.clone(), format!("{path}.html"), format!("{path}/index.html")]
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok())?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A file as a response; nothing is cached, so that a reload shows the last edit.
pub(crate) fn page(status: StatusCode, name: &str, content: Vec<u8>) -> Response {
    let kind = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    (status, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_site_never_leaves_its_folder() {
        assert_eq!(candidates("/"), ["index.html"]);
        assert_eq!(
            candidates("/booking/success"),
            ["booking/success", "booking/success.html", "booking/success/index.html"]
        );
        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/a/..%2f..%2fCargo.toml", "/.env", "/%", "/a%00b"] {
            assert!(candidates(path).is_empty(), "{path}");
        }
    }
}
