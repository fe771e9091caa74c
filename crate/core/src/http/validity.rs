//! Reads from when until when a certificate is valid, and decides when to warn that it ends. It must not know files.

use super::client_names::{Elements, SEQUENCE};
use std::time::Duration;

/// `[0]` of RFC 5280's `TBSCertificate`: the version, which old certificates lack.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const DAY: u64 = 24 * 60 * 60;
/// Warn this long before the end, or a tenth of the certificate's lifetime if that is shorter: tools that renew
/// certificates do so at two thirds of the lifetime.
const SOON: u64 = 14 * DAY;
/// The pause between two warnings.
pub(super) const WARN_EVERY: Duration = Duration::from_secs(DAY);

/// When a certificate is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    not_before: u64,
    pub(super) not_after: u64,
}

impl Validity {
    /// The validity of the certificate of a chain that ends first. `None` if no certificate is valid DER.
    pub(super) fn of_chain<'a>(chain: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        chain.into_iter().filter_map(Self::of).min_by_key(|validity| validity.not_after)
    }

    fn of(certificate: &[u8]) -> Option<Self> {
        let mut parts = Elements(Elements(Elements(certificate).next_of(SEQUENCE)?).next_of(SEQUENCE)?);
        // The serial number comes first if there is no version. Then: signature, issuer, validity.
        if parts.next()?.0 == VERSION {
            parts.next()?;
        }
        let (_signature, _issuer) = (parts.next_of(SEQUENCE)?, parts.next_of(SEQUENCE)?);
        let mut times = Elements(parts.next_of(SEQUENCE)?);
        Some(Self { not_before: time(times.next()?)?, not_after: time(times.next()?)? })
    }

    /// The warning for this time, in seconds since 1970, if the certificate has expired or does so soon.
    pub(super) fn warning(&self, now: u64) -> Option<String> {
        if now > self.not_after {
            return Some(format!(
                "The exporter's certificate has expired {} ago",
                shown(now - self.not_after)
            ));
        }
        let left = self.not_after - now;
        let lifetime = self.not_after.saturating_sub(self.not_before);
        (left < SOON.min(lifetime / 10))
            .then(|| format!("The exporter's certificate expires in {}", shown(left)))
    }
}

fn shown(seconds: u64) -> String {
    match (seconds / DAY, seconds / 3600) {
        (0, 0) => "less than an hour".to_owned(),
        (0, hours) => format!("{hours} h"),
        (days, _) => format!("{days} d"),
    }
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5) in seconds since 1970; 0 for earlier times.
fn time((tag, text): (u8, &[u8])) -> Option<u64> {
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let short = number(&digits[..2]);
            (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| number(&rest[2 * at..2 * at + 2]);
    let days = days_since_1970(year, part(0), part(1))?;
    u64::try_from(days * 86_400 + part(2) * 3600 + part(3) * 60 + part(4)).ok().or(Some(0))
}

fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

/// The days of the Gregorian calendar. Years are counted from March, so that a leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month < 3 { year - 1 } else { year };
    let days_before_month = (153 * ((month + 9) % 12) + 2) / 5;
    let before_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before_year + days_before_month + day - 1 - 719_468)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(until, 3, 1);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (until, not_after) in [(2025, 1_740_787_200), (2050, 2_529_705_600)] {
            let expected = Validity { not_before: 1_709_164_800, not_after };
            assert_eq!(Validity::of(&certificate(until)), Some(expected), "{until}");
        }
        let (early, late) = (certificate(2030), certificate(2040));
        assert_eq!(Validity::of_chain([&late[..], &early]), Validity::of(&early));
        assert_eq!(time((UTC_TIME, b"700101000001Z")), Some(1));
        assert_eq!(time((GENERALIZED_TIME, b"19691231235959Z")), Some(0));
        for wrong in ["", "Z", "240230", "24022912000Z", "241329120000Z", "240200120000Z", "2402291200+0Z"] {
            assert_eq!(time((UTC_TIME, wrong.as_bytes())), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_is_warned_of_shortly_before_its_end_and_after_it() {
        let year = Validity { not_before: 0, not_after: 365 * DAY };
        let warning = |days: u64| year.warning(days * DAY);
        assert_eq!(warning(351), None);
        assert_eq!(warning(352).as_deref(), Some("The exporter's certificate expires in 13 d"));
        assert_eq!(warning(365).as_deref(), Some("The exporter's certificate expires in less than an hour"));
        assert_eq!(warning(367).as_deref(), Some("The exporter's certificate has expired 2 d ago"));
        let day = Validity { not_before: 0, not_after: DAY };
        assert_eq!(day.warning(21 * 3600), None);
        assert_eq!(day.warning(22 * 3600).as_deref(), Some("The exporter's certificate expires in 2 h"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, at: prop::sample::Index, byte: u8, length: prop::sample::Index) {
            static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| certificate(2030));
            let _ = Validity::of(&bytes);
            let mut broken = GOOD.clone();
            *at.get_mut(&mut broken) = byte;
            let _ = Validity::of(&broken[..length.index(broken.len() + 1)]);
            let _ = Validity::of(&broken);
            let _ = time((UTC_TIME, &bytes));
        }
    }
}
