//! The run's one currency.

use serde::{Deserialize, Serialize};

/// A currency and its number of minor digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// ISO 4217 code, or a code of the user's own.
    pub code: String,
    /// Decimal digits of the minor unit, 0 to 6 (EUR 2, JPY 0, KWD 3).
    pub exponent: u8,
}

/// Largest supported [`Currency::exponent`].
pub const MAX_EXPONENT: u8 = 6;

impl Currency {
    /// The currency of an ISO 4217 code, with its official exponent; `None` for a code that is not listed.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let exponent = match code {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ if TWO_DIGITS.contains(&code) => 2,
            _ => return None,
        };
        Some(Self { code: code.to_owned(), exponent })
    }

    /// Minor units in one major unit: `10^exponent`.
    #[must_use]
    pub fn minor_per_major(&self) -> i64 {
        10_i64.pow(u32::from(self.exponent))
    }
}

/// ISO 4217 codes with two minor digits.
const TWO_DIGITS: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB", "BRL",
    "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DKK", "DOP",
    "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL",
    "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR",
    "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
    "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VES", "WST", "XCD", "YER", "ZAR",
    "ZMW", "ZWG",
];

#[cfg(test)]
mod tests {
    use super::Currency;

    #[test]
    fn yen_have_no_minor_unit_and_dinars_have_three_digits() {
        assert_eq!(Currency::from_code("JPY").map(|c| c.minor_per_major()), Some(1));
        assert_eq!(Currency::from_code("KWD").map(|c| c.minor_per_major()), Some(1_000));
        assert_eq!(Currency::from_code("EUR").map(|c| c.minor_per_major()), Some(100));
        assert_eq!(Currency::from_code("eur"), None);
    }
}
