//! From text to a tree.

mod json;
mod toml;

use crate::node::Node;
use crate::problem::Problems;

/// The tree of a file, as far as it can be read.
pub(crate) fn tree(text: &str, json: bool, problems: &mut Problems) -> Option<Node> {
    if json { json::tree(text, problems) } else { toml::tree(text, problems) }
}
