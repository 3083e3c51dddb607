//! The products: list prices on a geometric grid, so that any line amount has a product whose price fits.

use super::process::catalogue_stream;

/// Product categories, and the cost of goods as a share of the list price.
const CATEGORIES: [(&str, f64); 6] = [
    ("consumables", 0.48),
    ("parts", 0.55),
    ("tools", 0.58),
    ("apparel", 0.45),
    ("electronics", 0.66),
    ("furniture", 0.60),
];
/// Cheapest and dearest list price, in cents.
const PRICES: (f64, f64) = (50.0, 200_000.0);
/// A product's cost share lies this far around its category's at most.
const COST_SPREAD: f64 = 0.06;
/// One product for so many customers, within limits.
const CUSTOMERS_PER_PRODUCT: u64 = 50;
const PRODUCTS: (u64, u64) = (100, 5_000);

/// One product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) id: i32,
    pub(super) category: &'static str,
    /// List price in cents.
    pub(super) price: u64,
    /// Cost of one unit in cents.
    pub(super) cost: u64,
}

/// All products, by ascending price; their identifiers are in another order.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    pub(super) products: Vec<Product>,
}

impl Catalogue {
    /// The catalogue of a company with that many customers.
    pub(super) fn new(seed: u64, customers: u64) -> Self {
        let count = (customers / CUSTOMERS_PER_PRODUCT).clamp(PRODUCTS.0, PRODUCTS.1);
        let step = libm::log(PRICES.1 / PRICES.0) / (count - 1) as f64;
        let mut stream = catalogue_stream(seed);
        let mut ids: Vec<i32> = (1..=count as i32).collect();
        // Fisher and Yates's shuffle.
        for last in (1..ids.len()).rev() {
            ids.swap(last, stream.below(last as u64 + 1) as usize);
        }
        let products = ids
            .into_iter()
            .enumerate()
            .map(|(rank, id)| {
                let price = libm::rint(PRICES.0 * libm::exp(step * rank as f64));
                let (category, share) = CATEGORIES[stream.below(CATEGORIES.len() as u64) as usize];
                let share = share + COST_SPREAD * (2.0 * stream.uniform() - 1.0);
                Product { id, category, price: price as u64, cost: libm::rint(price * share) as u64 }
            })
            .collect();
        Self { products }
    }

    /// Cheapest list price in cents.
    pub(super) fn cheapest(&self) -> u64 {
        self.products[0].price
    }

    /// The product `jitter` places from the first one that costs at least `price` cents.
    pub(super) fn near(&self, price: u64, jitter: i64) -> &Product {
        let rank = self.products.partition_point(|product| product.price < price) as i64 + jitter;
        &self.products[rank.clamp(0, self.products.len() as i64 - 1) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_finds_a_product_that_costs_about_as_much() {
        let catalogue = Catalogue::new(1, 1_000_000);
        let product = catalogue.near(2_500, 0);
        assert!((2_500..2_550).contains(&product.price), "{product:?}");
        assert_eq!(catalogue.near(1, -4).price, catalogue.cheapest());
        assert_eq!(catalogue.near(u64::MAX, 4).price, 200_000);
    }

    #[test]
    fn every_product_costs_less_than_its_price() {
        for product in Catalogue::new(2, 10).products {
            assert!(0 < product.cost && product.cost < product.price, "{product:?}");
        }
    }
}
