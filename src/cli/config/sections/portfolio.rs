//! `portfolio`: groups of customers.

use crate::{
    cli::config::{
        error::Problems,
        number::decimal,
        suggest::quoted,
        walk::{Entry, RATE_DIGITS},
    },
    numeric::decimal::Decimal,
    schema::settings::{NetworkingSettings, PortfolioSettings, ValueTier},
};

/// Tiers when the config gives none.
///
/// Source: Zeithaml, Rust & Lemon, The Customer Pyramid (2001), names the four tiers; the shares are this engine's.
const DEFAULT_TIERS: [(&str, f64); 4] = [("platinum", 0.05), ("gold", 0.15), ("iron", 0.30), ("lead", 0.50)];

/// Groups of recency, frequency and monetary value when the config does not say: quintiles.
const DEFAULT_RFM_GROUPS: u8 = 5;

/// One half.
const HALF: Decimal = Decimal { mantissa: 5, scale: 1 };

/// What recommending brings when the config does not say. No source gives shares for every trade: these are the middle.
const DEFAULT_NETWORKING: NetworkingSettings =
    NetworkingSettings { new_share: HALF, decay: HALF, acquisition_cost: None };

/// `portfolio` of a config that has none.
pub(in crate::cli::config) fn default() -> PortfolioSettings {
    PortfolioSettings { rfm_groups: DEFAULT_RFM_GROUPS, value_tiers: default_tiers(), networking: DEFAULT_NETWORKING }
}

fn default_tiers() -> Vec<ValueTier> {
    DEFAULT_TIERS.map(|(name, share)| ValueTier { name: name.to_owned(), share }).to_vec()
}

/// `portfolio`. Money has at most `exponent` digits after the point.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<PortfolioSettings> {
    let fields = entry.fields(&["rfm_groups", "value_tiers", "networking"], problems)?;
    let rfm_groups = fields.read_or("rfm_groups", DEFAULT_RFM_GROUPS, problems, |entry, problems| {
        entry.whole(2, 10, problems).and_then(|groups| u8::try_from(groups).ok())
    });
    let value_tiers = fields.read_or("value_tiers", default_tiers(), problems, tiers);
    let networking = fields
        .read_or("networking", DEFAULT_NETWORKING, problems, |entry, problems| networking(entry, exponent, problems));
    Some(PortfolioSettings { rfm_groups: rfm_groups?, value_tiers: value_tiers?, networking: networking? })
}

/// `networking`.
fn networking(entry: &Entry<'_>, exponent: u8, problems: &mut Problems) -> Option<NetworkingSettings> {
    let fields = entry.fields(&["new_share", "decay", "acquisition_cost"], problems)?;
    let share = |entry: &Entry<'_>, problems: &mut Problems| entry.exact_rate(1, problems);
    let new_share = fields.read_or("new_share", HALF, problems, share);
    let decay = fields.read_or("decay", HALF, problems, share);
    let acquisition_cost = fields.read_or("acquisition_cost", None, problems, |entry, problems| {
        entry.scaled(exponent, "an amount of money", problems).map(Some)
    });
    Some(NetworkingSettings { new_share: new_share?, decay: decay?, acquisition_cost: acquisition_cost? })
}

/// `value_tiers`, best first. The shares are added as decimals: as floats, 0.1 ten times is not 1.
fn tiers(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<ValueTier>> {
    let one = 10_i128.pow(u32::from(RATE_DIGITS));
    let mut tiers = Vec::new();
    let mut sum = Some(0_i128);
    for (name, share) in entry.named(problems)? {
        let scaled = share.scalar().and_then(|text| decimal(text, RATE_DIGITS).ok());
        match share.rate(1, problems).zip(scaled) {
            Some((_, 0)) => {
                problems.add(share.at(), format!("{} is 0: a tier without customers", quoted(share.path())));
                sum = None;
            }
            Some((share, scaled)) => {
                tiers.push(ValueTier { name: name.to_owned(), share });
                sum = sum.map(|sum| sum + scaled);
            }
            None => sum = None,
        }
    }
    let sum = sum?;
    if sum == one {
        return Some(tiers);
    }
    let percent = format!("{:.10}", sum as f64 / one as f64 * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    problems.add(entry.key_at(), format!("the shares in {} add up to {percent} %, not 100 %", quoted(entry.path())));
    None
}
