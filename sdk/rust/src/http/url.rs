//! The parts of a URL that `wasi:http` takes one by one.

use super::Error;

#[derive(Debug, PartialEq)]
pub(super) enum TargetScheme {
    Http,
    Https,
}

#[derive(Debug, PartialEq)]
pub(super) struct Target<'a> {
    pub(super) scheme: TargetScheme,
    pub(super) authority: &'a str,
    pub(super) path_with_query: String,
}

impl<'a> Target<'a> {
    /// Takes a URL apart. What its parts may be made of is the host's to say; a fragment is the client's, and not sent.
    pub(super) fn parse(url: &'a str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").ok_or(Error::Invalid("URL"))?;
        let scheme = if scheme.eq_ignore_ascii_case("http") {
            TargetScheme::Http
        } else if scheme.eq_ignore_ascii_case("https") {
            TargetScheme::Https
        } else {
            return Err(Error::Invalid("URL"));
        };
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // A name and a password in a URL would go nowhere: they belong into a header.
        if authority.is_empty() || authority.contains('@') {
            return Err(Error::Invalid("URL"));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { scheme, authority, path_with_query: format!("{slash}{path}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(TargetScheme, &str, String)> {
        let target = Target::parse(url).ok()?;
        Some((target.scheme, target.authority, target.path_with_query))
    }

    #[test]
    fn a_url_is_taken_apart() {
        use TargetScheme::{Http, Https};
        for (url, scheme, authority, path) in [
            ("http://a.example", Http, "a.example", "/"),
            ("HTTPS://a.example:8443/b/c?d=e/f", Https, "a.example:8443", "/b/c?d=e/f"),
            ("https://a.example?q=http://b", Https, "a.example", "/?q=http://b"),
            ("http://[::1]:80/x#part", Http, "[::1]:80", "/x"),
        ] {
            assert_eq!(parts(url), Some((scheme, authority, path.into())), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused() {
        for url in ["", "a.example/b", "ftp://a.example", "http://", "http:///b", "https://user:word@a.example/"] {
            assert_eq!(parts(url), None, "{url}");
        }
    }
}
