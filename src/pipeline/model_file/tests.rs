//! Files of models: what is written comes back, what is wrong is refused by name.

use super::*;
use crate::schema::settings::PurchaseKind;
use crate::{
    forecast::{
        covariates::{
            CovariateModel, Effect,
            model::{Known, KnownValues},
        },
        groups::{Groups, Members},
        purchase_model::PurchaseModel,
        spend_model::SpendModel,
        summary::Summary,
    },
    schema::{covariates::CovariatePart, forecasting::SpendKind, settings::PoolBy},
};

/// Days of the time unit, and what the fits know up to.
fn models(saved: SavedPurchases) -> SavedModels {
    SavedModels { as_of: 10_134, days_per_unit: 7.0, fits: SavedFits::Purchases(Box::new(saved)) }
}

fn saved() -> SavedPurchases {
    let mut summary = Summary::new();
    let (x, t_x): (Vec<u32>, Vec<u32>) = (0..400).map(|i| [(0, 0), (1, 30), (2, 90), (5, 180)][i % 4]).unzip();
    summary.insert(&x, &t_x, &[200; 400]).unwrap();
    let total: Vec<f64> = x.iter().enumerate().map(|(i, x)| f64::from(*x) * (20.0 + (i % 37) as f64)).collect();
    SavedPurchases {
        kind: PurchaseKind::MbgNbd,
        purchases: PurchaseModel::fit(PurchaseKind::MbgNbd, &summary, &[], 7.0),
        covariates: None,
        spend: SpendModel::fit(SpendKind::GammaGamma, &x, &total, &[]),
        mean_amount: Some(38.0),
        groups: None,
        spend_levels: None,
    }
}

fn parse(text: &str) -> Result<SavedModels, ModelFileError> {
    SavedModels::parse(Utf8Path::new("model.json"), text)
}

#[test]
fn a_saved_model_comes_back_to_the_last_bit() {
    let saved = saved();
    let text = models(saved.clone()).to_json().to_string();
    let found = parse(&text).unwrap();
    assert_eq!(found.purchases().unwrap().purchases, saved.purchases);
    assert_eq!(found.purchases().unwrap().spend, saved.spend);
    assert_eq!(found.purchases().unwrap().mean_amount, saved.mean_amount);
    assert_eq!(found.to_json().to_string(), text);
    // Files of older versions do not know it.
    let older = models(SavedPurchases { mean_amount: None, ..saved }).to_json();
    assert!(older.get("mean_amount").is_none());
    assert_eq!(parse(&older.to_string()).unwrap().purchases().unwrap().mean_amount, None);
}

fn with_covariates() -> SavedPurchases {
    let saved = saved();
    let base = *saved.purchases.fitted().unwrap();
    let effect = |part, parameter: &str, level: Option<&str>| Effect {
        part,
        parameter: parameter.to_owned(),
        column: if level.is_none() { "age" } else { "area" }.to_owned(),
        level: level.map(str::to_owned),
        centre: 41.7,
        coefficient: 0.1,
    };
    let number = Known { column: "age".to_owned(), values: KnownValues::Number { centre: 41.7 } };
    let levels = vec!["east".to_owned(), "west".to_owned()];
    let category = KnownValues::Category { reference: "east".to_owned(), levels };
    let covariates = CovariateModel {
        base,
        covariates: vec![number, Known { column: "area".to_owned(), values: category }],
        effects: vec![
            effect(CovariatePart::Rate, "alpha", None),
            effect(CovariatePart::Dropout, "a", Some("west")),
            effect(CovariatePart::Dropout, "b", Some("west")),
        ],
    };
    SavedPurchases { covariates: Some(covariates), ..saved }
}

#[test]
fn a_saved_model_with_covariates_comes_back_and_its_flaws_are_named() {
    let mut saved = with_covariates();
    // As the fit would have it: a row and a column for every effect.
    saved.purchases.covariance = Some(vec![vec![0.0; 7]; 7]);
    let good = models(saved.clone()).to_json();
    assert_eq!(good["version"], 2);
    let found = parse(&good.to_string()).unwrap();
    assert_eq!(found.purchases().unwrap().covariates, saved.covariates);
    let told = |key: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(key).unwrap() = value;
        parse(&changed.to_string()).unwrap_err().to_string()
    };
    let none = |name: &str| format!("model.json: MBG/NBD: effect `{name}` is none of its model");
    assert_eq!(told("/effects/0/parameter", json!("beta")), none("beta:age"));
    assert_eq!(told("/effects/0/column", json!("size")), none("alpha:size"));
    assert_eq!(told("/effects/1/level", json!("north")), none("a:area=north"));
    assert_eq!(
        told("/covariates/1/reference", json!("north")),
        "model.json: MBG/NBD: covariate `area` has levels or a mean that no fit has"
    );
    assert_eq!(
        told("/purchases/covariance", json!([[0.0, 0.0], [0.0, 0.0]])),
        "model.json: MBG/NBD: its covariance has not a row and a column for every parameter"
    );
    // Who reads version 1 alone must not leave effects out.
    assert_eq!(models(SavedPurchases { covariates: None, ..saved }).to_json()["version"], 1);
}

#[test]
fn a_covariate_that_moves_another_part_than_it_was_fitted_for_is_refused_unless_the_fit_found_nothing_in_it() {
    use crate::schema::covariates::CovariateSettings;
    let saved = with_covariates();
    let fits = |saved: &SavedPurchases, rate: &[&str], dropout: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let wanted = CovariateSettings { rate: names(rate), dropout: names(dropout) };
        saved.fits_parts(Some(&wanted), Utf8Path::new("model.json")).map_err(|error| error.to_string())
    };
    assert_eq!(fits(&saved, &["age"], &["area"]), Ok(()));
    let told = "model.json: the model has rate: [age] and dropout: [area], the config's `forecast.covariates` rate: [age, \
                area] and dropout: [area]";
    assert_eq!(fits(&saved, &["age", "area"], &["area"]), Err(told.to_owned()));
    assert!(fits(&saved, &["area"], &["age"]).is_err());
    let mut dropped = saved.clone();
    dropped
        .purchases
        .notes
        .push("rate: the effect of area=west is dropped: it follows from the effects before it".to_owned());
    assert_eq!(fits(&dropped, &["age", "area"], &["area"]), Ok(()));
    assert!(fits(&dropped, &["area"], &["area"]).is_err());
    // What the fit says of its own customers is no word about others.
    let notes = models(dropped).applied().notes();
    let expected = "when fitted: rate: the effect of area=west is dropped: it follows from the effects before it, and counts \
                    nothing for these customers";
    assert_eq!(notes.last().map(String::as_str), Some(expected));
}

#[test]
fn saved_groups_come_back_to_the_last_bit_in_a_file_of_their_own_version() {
    let mut saved = saved();
    let members = |name: &str, x: &[u32], recency: &[u32]| {
        let mut summary = Summary::new();
        summary.insert(&x.repeat(50), &recency.repeat(50), &vec![200; x.len() * 50]).unwrap();
        Members { name: name.to_owned(), summary }
    };
    let members = [members("east", &[0, 1, 2], &[0, 30, 90]), members("west", &[0, 3, 9], &[0, 90, 180])];
    let mut whole = members[0].summary.clone();
    whole.combine(&members[1].summary);
    saved.purchases = PurchaseModel::fit(PurchaseKind::MbgNbd, &whole, &[], 7.0);
    let groups = Groups::fit(&saved.purchases, &members, 7.0).unwrap();
    saved.groups = Some((PoolBy::Region, groups));
    let text = models(saved.clone()).to_json();
    assert_eq!(text["version"], 2);
    let found = parse(&text.to_string()).unwrap();
    assert_eq!(found.purchases().unwrap().groups, saved.groups);
    let told = |key: &str, value: Value| {
        let mut changed = text.clone();
        *changed.pointer_mut(key).unwrap() = value;
        parse(&changed.to_string()).unwrap_err().to_string()
    };
    assert_eq!(
        told("/groups/groups/1/parameters/0", json!(-1.0)),
        "model.json: MBG/NBD: a parameter of a group must be finite and positive"
    );
    assert_eq!(told("/groups/groups/1/name", json!("east")), "model.json: MBG/NBD: its groups must be sorted by name");
    assert!(told("/pool_by", json!("colour")).ends_with("`pool_by` is not the fit of its kind of model"));
}

#[test]
fn another_version_kind_or_parameter_is_refused_by_name() {
    let good = models(saved()).to_json();
    let told = |key: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(key).unwrap() = value;
        parse(&changed.to_string()).unwrap_err().to_string()
    };
    assert_eq!(told("/version", json!(3)), "model.json: its version is 3, this program reads versions 1 and 2");
    assert_eq!(
        told("/kind", json!("weibull")),
        "model.json: its kind is `weibull`, expected one of bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k, \
             bg_bb, beta_geometric, beta_weibull, exponential_gamma, weibull_gamma"
    );
    assert_eq!(
        told("/kind", json!("pareto_nbd")),
        "model.json: it is no model file of whalecurve: `purchases` is not the fit of its kind of model"
    );
    assert_eq!(
        told("/purchases/parameters/alpha", json!(-1.0)),
        "model.json: MBG/NBD: alpha must be finite and positive"
    );
    assert_eq!(told("/spend/parameters/q", json!(0.0)), "model.json: Gamma-Gamma: q must be finite and positive");
    assert_eq!(
        told("/spend/parameters", json!({"mean": 3.0, "within": -1.0, "between": 2.0})),
        "model.json: Gamma-Gamma: q must be finite and positive"
    );
    assert_eq!(
        told("/spend/parameters", json!({"mean": 3.0, "inside": 1.0})),
        "model.json: it is no model file of whalecurve: `spend` is not the fit of its kind of model"
    );
    assert_eq!(
        told("/mean_amount", json!(-1.0)),
        "model.json: Gamma-Gamma: its mean amount must be finite and positive"
    );
    assert!(told("/purchases/end", json!({"how": "failed", "why": "no data"})).ends_with("MBG/NBD: no data"));
    assert_eq!(
        told("/format", json!("other")),
        "model.json: it is no model file of whalecurve: `format` is missing or another"
    );
    assert!(parse("{").unwrap_err().to_string().ends_with("it is not JSON"));
}
