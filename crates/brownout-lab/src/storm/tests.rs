//! Storms whose end is known.
