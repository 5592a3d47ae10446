//! From text to a tree: TOML, or JSON where the text begins as JSON does.

mod json;
mod toml;

use crate::node::Node;
use crate::problem::Problems;

/// The tree of a file, as far as it can be read. A scenario that is JSON begins with `{`, which no TOML does.
pub(crate) fn tree(text: &str, problems: &mut Problems) -> Option<Node> {
    if text.trim_start().starts_with('{') { json::tree(text, problems) } else { toml::tree(text, problems) }
}
