//! Links between the pages of the repository lead somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::docs::pages;
use crate::program::repository;

/// The pages that are linked and looked at: those of the guide, and those at the top.
fn all() -> Vec<PathBuf> {
    let top = std::fs::read_dir(repository()).unwrap().map(|file| file.unwrap().path());
    let mut all: Vec<_> = top.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    all.extend(pages());
    all.sort();
    all.dedup();
    all
}

/// The page without what stands in blocks of code.
fn prose(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let mut open = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        open ^= fence;
        !open && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the links of a page lead.
fn links(page: &Path) -> Vec<String> {
    let prose = prose(page);
    let links = prose.split("](").skip(1).filter_map(|rest| Some(rest.split(')').next()?.to_owned()));
    links.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace)).collect()
}

/// What a heading is linked by: letters, digits, dashes and underscores, spaces as dashes.
fn anchors(page: &Path) -> BTreeSet<String> {
    let anchor = |heading: &str| {
        let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
    };
    let prose = prose(page);
    prose.lines().filter_map(|line| line.strip_prefix('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_leads_to_a_page_and_its_heading() {
    let (mut seen, mut broken) = (0, Vec::new());
    for page in all() {
        for link in links(&page) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let leads = target.exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} links");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_summary_lists_every_page_of_the_guide() {
    let guide = repository().join("guide");
    let listed: BTreeSet<_> = links(&guide.join("SUMMARY.md")).into_iter().map(|link| guide.join(link)).collect();
    let is_chapter =
        |page: &PathBuf| page.starts_with(&guide) && !page.ends_with("SUMMARY.md") && !page.ends_with("notes.md");
    let pages: BTreeSet<_> = pages().into_iter().filter(is_chapter).collect();
    assert_eq!(listed, pages);
}
