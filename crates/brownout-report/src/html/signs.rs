//! What an attempt came to, as a sign: told by its shape, and not by its colour alone.

use brownout_lab::rehearse::{Answer, Heed};
use maud::{Markup, html};

use super::plot::LETTER;
use super::show::px;

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// A dot.
    Ok,
    /// A diamond.
    Refused,
    /// A square.
    Failed,
    /// A cross.
    Broken,
    /// A ring.
    Untold,
}

/// What a line of a legend explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Sign(Sign),
    /// A stretch of time, by its class.
    Zone(&'static str),
}

impl Sign {
    pub(super) const fn of(answer: Answer) -> Self {
        match answer {
            Answer::Status(..400) => Self::Ok,
            Answer::Status(400..500) => Self::Refused,
            Answer::Status(_) => Self::Failed,
            Answer::Reset | Answer::Closed | Answer::NotHttp => Self::Broken,
            Answer::Silence | Answer::Left => Self::Untold,
        }
    }

    /// Its class; that of a bar of its kind too.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Untold => "plain",
        }
    }

    /// Around a point.
    pub(super) fn mark(self, x: f64, y: f64) -> Markup {
        let path = |steps: &str| format!("M{} {}{steps}", px(x), px(y));
        let (class, x, y) = (self.class(), px(x), px(y));
        match self {
            Self::Ok => html! { circle.glyph.(class) cx=(x) cy=(y) r="6" {} },
            Self::Refused => html! { path.glyph.(class) d=(path("m0 -7.5l7.5 7.5l-7.5 7.5l-7.5 -7.5z")) {} },
            Self::Failed => html! { path.glyph.(class) d=(path("m-5.5 -5.5h11v11h-11z")) {} },
            Self::Broken => html! { path.glyph.(class) d=(path("m-4.5 -4.5l9 9m0 -9l-9 9")) {} },
            Self::Untold => html! { circle.glyph.(class) cx=(x) cy=(y) r="5.2" {} },
        }
    }
}

/// The class of the stretch of time that somebody was asked to stay away for.
pub(super) const fn zone(heed: Heed) -> &'static str {
    match heed {
        Heed::Honoured => "honoured",
        Heed::Broken => "breached",
        Heed::GivenUp => "unused",
    }
}

const LEGEND_ROW: f64 = 18.0;

/// What signs and zones mean, from `left` to `right` and in as many rows as that takes: the markup and its height.
pub(super) fn legend(entries: &[(Key, &str)], (left, right): (f64, f64)) -> (Markup, f64) {
    let (mut x, mut row) = (left, 0_u32);
    let mut placed = Vec::new();
    for (key, name) in entries {
        let width = 30.0 + LETTER * name.chars().count() as f64;
        if x > left && x + width > right {
            (x, row) = (left, row + 1);
        }
        placed.push((key, name, x, 12.0 + LEGEND_ROW * f64::from(row)));
        x += width;
    }
    let markup = html! {
        @for (key, name, x, y) in placed {
            @match key {
                Key::Sign(sign) => { (sign.mark(x + 8.0, y)) }
                Key::Zone(class) => { rect.zone.(class) x=(px(x)) y=(px(y - 5.0)) width="16" height="10" {} }
            }
            text.note x=(px(x + 20.0)) y=(px(y)) dy="0.35em" { (name) }
        }
    };
    (markup, LEGEND_ROW * f64::from(row + 1) + 4.0)
}

#[cfg(test)]
mod tests {
    use super::{Key, Sign, legend};
    use brownout_lab::rehearse::Answer;

    /// Without colours they are told apart too.
    #[test]
    fn every_kind_has_a_shape_of_its_own() {
        let all = [Sign::Ok, Sign::Refused, Sign::Failed, Sign::Broken, Sign::Untold];
        let shape = |sign: Sign| sign.mark(0.0, 0.0).0.replace(sign.class(), "");
        for (place, sign) in all.into_iter().enumerate() {
            assert!(all[..place].iter().all(|other| shape(*other) != shape(sign)), "{sign:?}");
        }
    }

    #[test]
    fn answers_have_the_sign_of_their_kind() {
        let signs = [
            (Answer::Status(200), Sign::Ok),
            (Answer::Status(302), Sign::Ok),
            (Answer::Status(429), Sign::Refused),
            (Answer::Status(529), Sign::Failed),
            (Answer::Reset, Sign::Broken),
            (Answer::Left, Sign::Untold),
        ];
        assert!(signs.into_iter().all(|(answer, sign)| Sign::of(answer) == sign));
    }

    #[test]
    fn a_legend_goes_on_in_the_next_row() {
        let entries = [(Key::Sign(Sign::Ok), "success"), (Key::Zone("honoured"), "asked to stay away")];
        let height = |right: f64| legend(&entries, (0.0, right)).1;
        assert!(height(150.0) > height(600.0));
        assert!(legend(&entries, (0.0, 150.0)).0.0.contains("x=\"20\" y=\"30\""));
    }
}
