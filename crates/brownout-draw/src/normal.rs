//! The normal distribution and its inverse, on `libm` so that every platform gets the same bits.

#![expect(clippy::excessive_precision, reason = "coefficients stand with the digits they were published with")]

/// P(Z < z) for a standard normal Z.
pub(crate) fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The `p` quantile of a standard normal, for p in (0, 1), and NaN for any other p. Relative error about 1e-16, and the
/// same bits on every platform.
///
/// ```
/// # use brownout_draw::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959_964).abs() < 1e-6);
/// assert!(normal_quantile(1.0).is_nan());
/// ```
///
/// Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution",
/// Applied Statistics 37 (1988), routine PPND16: three rational functions of degree 7.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.425 * 0.425 - centred * centred;
        return centred * ratio(r, &CENTRE);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let magnitude = if r <= 5.0 { ratio(r - 1.6, &MIDDLE) } else { ratio(r - 5.0, &FAR) };
    if centred < 0.0 { -magnitude } else { magnitude }
}

/// A rational function: coefficients from the constant term up, numerator and denominator.
type Rational = ([f64; 8], [f64; 8]);

fn ratio(x: f64, (numerator, denominator): &Rational) -> f64 {
    horner(x, numerator) / horner(x, denominator)
}

fn horner(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE: Rational = (
    [
        3.387_132_872_796_366_608,
        133.141_667_891_784_377_45,
        1_971.590_950_306_551_442_7,
        13_731.693_765_509_461_125,
        45_921.953_931_549_871_457,
        67_265.770_927_008_700_853,
        33_430.575_583_588_128_105,
        2_509.080_928_730_122_672_7,
    ],
    [
        1.0,
        42.313_330_701_600_911_252,
        687.187_007_492_057_908_30,
        5_394.196_021_424_751_107_7,
        21_213.794_301_586_595_867,
        39_307.895_800_092_710_610,
        28_729.085_735_721_942_674,
        5_226.495_278_852_854_561_0,
    ],
);

const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        0.241_780_725_177_450_611_770,
        0.022_723_844_989_269_184_583_3,
        0.000_774_545_014_278_341_407_640,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        0.689_767_334_985_100_004_550,
        0.148_103_976_427_480_074_590,
        0.015_198_666_563_616_457_196_6,
        0.000_547_593_808_499_534_494_600,
        0.000_000_001_050_750_071_644_416_843_24,
    ],
);

const FAR: Rational = (
    [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        0.296_560_571_828_504_891_230,
        0.026_532_189_526_576_123_093_0,
        0.001_242_660_947_388_078_438_60,
        0.000_027_115_555_687_434_875_781_5,
        0.000_000_201_033_439_929_228_813_265,
    ],
    [
        1.0,
        0.599_832_206_555_887_937_690,
        0.136_929_880_922_735_805_310,
        0.014_875_361_290_850_614_852_5,
        0.000_786_869_131_145_613_259_100,
        0.000_018_463_183_175_100_546_818_0,
        0.000_000_142_151_175_831_644_588_870,
        2.044_263_103_389_939_785_64e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::{cdf, quantile};

    /// Percentage points as printed in statistical tables.
    #[test]
    fn tabulated_quantiles() {
        for (p, z) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_840_8),
            (0.999, 3.090_232_306_167_813),
            (0.001, -3.090_232_306_167_813),
            (1e-9, -5.997_807_015_007_686_6),
        ] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn no_quantile_outside_the_open_unit_interval() {
        for p in [0.0, 1.0, -0.5, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(quantile(p).is_nan(), "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn cdf_and_quantile_undo_each_other() {
        for step in 1..10_000 {
            let p = f64::from(step) / 10_000.0;
            assert!((cdf(quantile(p)) - p).abs() < 1e-14, "{p}");
        }
        let far = 1e-12;
        assert!((cdf(quantile(far)) / far - 1.0).abs() < 1e-11);
    }
}
