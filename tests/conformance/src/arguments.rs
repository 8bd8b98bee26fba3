//! The command line.

use std::time::Duration;

use url::Url;
use vod_uploader_conformance::Setup;

pub(crate) const USAGE: &str = "\
usage: conformance tus|ietf --url URL [OPTION]…
       conformance help

  --url URL                 the URL that creates uploads (http)
  --header 'Name: value'    a header of every request, for example for authorization; its value is
                            never shown (repeatable)
  --metadata key=value      metadata of created uploads, as text (repeatable)
                            [filename=conformance.mp4]
  --read-back TEMPLATE      the URL of an upload's bytes: {url} is its URL, {id} its last segment
  --size-max-test BYTES     the maximum size of a body [400000]
  --hang-bound-ms N         response time limit while an older request hangs [2000]
  --response-timeout-ms N   response time limit of all other requests [10000]
  --only TEXT               run only the cases whose names contain TEXT
  --list                    list the cases instead of running them
  --strict                  treat a failed SHOULD as a failure
for ietf:
  --interop N               the interop version: 3, 4, 5, 6, 7 or 8 [8]
  --method NAME             the method that creates uploads [POST]
  --media-type TYPE         the media type of created uploads [video/mp4]

Exit status: 0 if the server conforms, 1 if it does not, 2 for an invalid command line.
";

/// A suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Tus,
    Ietf,
}

/// The parsed command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) suite: Suite,
    pub(crate) setup: Setup,
    pub(crate) only: Option<String>,
    pub(crate) list: bool,
    pub(crate) strict: bool,
}

impl Arguments {
    /// Parses the command line. Returns `None` if help is requested.
    ///
    /// # Errors
    /// Returns an error if the command line is invalid.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::*;

        let mut suite = None;
        let mut url = None;
        // Options may precede --url, so the URL is set at the end.
        let mut setup = Setup::new(placeholder()?);
        let mut metadata = Vec::new();
        let (mut only, mut list, mut strict) = (None, false, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Value(name) if name == "help" => return Ok(None),
                Value(name) if suite.is_none() => suite = Some(suite_named(&name.string()?)?),
                Long("url") => url = Some(http_url(&parser.value()?.string()?)?),
                Long("header") => setup.fields.push(pair(&parser.value()?.string()?, ':')?),
                Long("metadata") => metadata.push(pair(&parser.value()?.string()?, '=')?),
                Long("read-back") => setup.read_back = Some(parser.value()?.string()?),
                Long("size-max-test") => setup.size_max_bytes = size(parser.value()?.parse()?)?,
                Long("hang-bound-ms") => setup.hang_bound = milliseconds(&mut parser)?,
                Long("response-timeout-ms") => setup.response_timeout = milliseconds(&mut parser)?,
                Long("only") => only = Some(parser.value()?.string()?),
                Long("list") => list = true,
                Long("strict") => strict = true,
                Long("interop") => setup.interop = interop(parser.value()?.parse()?)?,
                Long("method") => setup.method = parser.value()?.string()?,
                Long("media-type") => setup.media_type = parser.value()?.string()?,
                other => return Err(other.unexpected()),
            }
        }
        let suite = suite.ok_or("expected a suite: tus or ietf")?;
        match url {
            Some(url) => setup.url = url,
            None if list => {}
            None => return Err("--url is missing".into()),
        }
        if !metadata.is_empty() {
            setup.metadata = metadata;
        }
        Ok(Some(Self { suite, setup, only, list, strict }))
    }
}

fn suite_named(name: &str) -> Result<Suite, lexopt::Error> {
    match name {
        "tus" => Ok(Suite::Tus),
        "ietf" => Ok(Suite::Ietf),
        _ => Err(format!("unknown suite {name:?}; expected tus or ietf").into()),
    }
}

fn http_url(text: &str) -> Result<Url, lexopt::Error> {
    let url = Url::parse(text).map_err(|cause| format!("--url {text}: {cause}"))?;
    if url.scheme() == "http" {
        Ok(url)
    } else {
        Err(format!("--url {text}: expected http; use a proxy that terminates TLS").into())
    }
}

fn pair(text: &str, separator: char) -> Result<(String, String), lexopt::Error> {
    let (name, value) = text
        .split_once(separator)
        .ok_or_else(|| format!("{text:?} does not contain {separator:?}"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn size(bytes: usize) -> Result<usize, lexopt::Error> {
    if bytes >= SIZE_MIN_BYTES {
        Ok(bytes)
    } else {
        Err(format!("--size-max-test: expected {SIZE_MIN_BYTES} or more").into())
    }
}

fn interop(version: u8) -> Result<u8, lexopt::Error> {
    if (3..=8).contains(&version) {
        Ok(version)
    } else {
        Err(format!("--interop {version}: expected 3 to 8").into())
    }
}

fn milliseconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    use lexopt::ValueExt as _;

    // A socket rejects a timeout of zero.
    let count: u64 = parser.value()?.parse()?;
    Ok(Duration::from_millis(count.max(1)))
}

fn placeholder() -> Result<Url, lexopt::Error> {
    Url::parse("http://127.0.0.1/").map_err(|cause| cause.to_string().into())
}

/// The minimum size for the cases that interrupt bodies.
const SIZE_MIN_BYTES: usize = 10_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Arguments>, lexopt::Error> {
        Arguments::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn all_options_can_be_set() {
        let words = "ietf --url http://h:1/v1/files --interop 6 --method PUT --media-type a/b \
                     --metadata filename=x.mp4 --metadata a=b=c --strict --only offset --list \
                     --size-max-test 20000 --hang-bound-ms 5 --response-timeout-ms 6 \
                     --read-back {url}";
        let mut words: Vec<_> = words.split_whitespace().collect();
        words.extend(["--header", "Authorization: Bearer x:y"]);
        let set = parse(&words).unwrap().unwrap();
        assert_eq!((set.suite, set.list, set.strict), (Suite::Ietf, true, true));
        assert_eq!(set.setup.fields, [("Authorization".into(), "Bearer x:y".into())]);
        assert_eq!(set.setup.metadata[1], ("a".to_owned(), "b=c".to_owned()));
        assert_eq!(set.setup.file_name(), Some("x.mp4"));
        assert_eq!((set.setup.interop, set.setup.size_max_bytes), (6, 20_000));
        let upload = Url::parse("http://h:1/v1/files/7").unwrap();
        assert_eq!(set.setup.read_back_url(&upload), Some(upload));
    }

    #[test]
    fn an_invalid_command_line_is_rejected_with_a_reason() {
        for (words, reason) in [
            (vec!["--url", "http://h/"], "expected a suite"),
            (vec!["tus"], "--url is missing"),
            (vec!["tus", "--url", "https://h/"], "TLS"),
            (vec!["ftp", "--url", "http://h/"], "tus or ietf"),
            (vec!["ietf", "--url", "http://h/", "--interop", "2"], "3 to 8"),
            (vec!["tus", "--url", "http://h/", "--size-max-test", "5"], "10000"),
            (vec!["tus", "--url", "http://h/", "--header", "oops"], "':'"),
        ] {
            let error = parse(&words).unwrap_err().to_string();
            assert!(error.contains(reason), "{words:?}: {error}");
        }
        assert!(parse(&["--help"]).unwrap().is_none() && parse(&["help"]).unwrap().is_none());
    }
}
