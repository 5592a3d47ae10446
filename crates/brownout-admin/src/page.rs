//! The live page, as files: they hold no data, and are the same for everybody.
//!
//! All that the page shows comes from `/events`, and all that it does goes through the API, so that it can do no more than who asks it may.
//! Text goes into it as text alone, whoever it comes from.

use crate::api::{Answered, Content, Failure, Reply};
use hyper::StatusCode;

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// What the page may load and ask: these files, and this API. Nobody may put it into a page of their own.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Its scripts, by name.
const SCRIPTS: [(&str, &str); 6] = [
    ("page.js", include_str!("page/page.js")),
    ("stream.js", include_str!("page/stream.js")),
    ("show.js", include_str!("page/show.js")),
    ("course.js", include_str!("page/course.js")),
    ("panels.js", include_str!("page/panels.js")),
    ("controls.js", include_str!("page/controls.js")),
];

/// Whether a path is of the page, which anybody may read who reaches it: it takes no token.
pub(crate) fn is_part(path: &str) -> bool {
    path == "/live" || path.starts_with("/live/")
}

/// The page itself.
pub(crate) fn page() -> Reply {
    reply(HTML, Content::Text(include_str!("page/page.html").into()))
}

/// A file that it is made of.
pub(crate) fn file(name: &str) -> Answered {
    if name == "style.css" {
        let style = [brownout_report::COLOURS, brownout_report::STYLE, include_str!("page/style.css")].concat();
        return Ok(reply(STYLE, style.into()));
    }
    let script = SCRIPTS.iter().find(|(own, _)| *own == name);
    let (_, script) =
        script.ok_or_else(|| Failure::missing("the live page has no such file; GET /live is the page"))?;
    Ok(reply(SCRIPT, Content::Text((*script).into())))
}

const fn reply(content_type: &'static str, content: Content) -> Reply {
    Reply { status: StatusCode::OK, content_type, content }
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, page};
    use crate::api::Content;

    /// What is imported or referred to is there.
    #[test]
    fn every_file_that_is_named_is_there() {
        let Content::Text(html) = page().content else { panic!("a page is text") };
        for name in html.split("/live/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(super::file(name).is_ok(), "{name}");
        }
        for (own, script) in SCRIPTS {
            for name in script.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(super::file(name).is_ok(), "{name} in {own}");
            }
        }
    }

    /// Text of requests is never interpreted: none of the ways in which a script makes elements or code of text is taken.
    #[test]
    fn no_script_makes_elements_of_text() {
        for (name, script) in SCRIPTS {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
                "srcdoc",
                "javascript:",
            ] {
                assert!(!script.contains(way), "{way} in {name}");
            }
        }
    }
}
