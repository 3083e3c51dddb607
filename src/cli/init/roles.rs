//! The tables and columns that are known, and what they are called elsewhere.

use crate::{
    read::peek::{Column, Kind},
    schema::{period::PeriodKind, settings::TableName},
};

/// What a role's column is called elsewhere (each without `_`, lower case), what it may be, and what a sample of it is like.
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) kinds: &'static [Kind],
    pub(super) looks: fn(&Column) -> bool,
}

const ID: &[Kind] = &[Kind::Integer, Kind::Text];
const NUMBER: &[Kind] = &[Kind::Integer, Kind::Fraction];

const CUSTOMER: Role = Role {
    name: "customer_id",
    names: &[
        "customer",
        "customerid",
        "customerno",
        "customernumber",
        "custid",
        "custno",
        "cust",
        "client",
        "clientid",
        "account",
        "accountid",
        "userid",
        "user",
        "buyer",
        "buyerid",
        "member",
        "memberid",
        "kunde",
        "kundennummer",
        "kundennr",
    ],
    kinds: ID,
    looks: |column| column.nulls < 0.5,
};
const DATE: Role = Role {
    name: "date",
    names: &[
        "date",
        "day",
        "orderdate",
        "invoicedate",
        "transactiondate",
        "purchasedate",
        "saledate",
        "postingdate",
        "bookingdate",
        "datetime",
        "timestamp",
        "time",
        "createdat",
        "orderedat",
        "purchasedat",
        "datum",
    ],
    kinds: &[Kind::Day],
    looks: |column| column.nulls < 0.1,
};
pub(super) const AMOUNT: Role = Role {
    name: "amount",
    names: &[
        "amount",
        "revenue",
        "sales",
        "netsales",
        "netamount",
        "total",
        "totalamount",
        "lineamount",
        "linetotal",
        "value",
        "turnover",
        "netrevenue",
        "salesamount",
        "spend",
        "betrag",
        "umsatz",
    ],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};
const ORDER: Role = Role {
    name: "order_id",
    names: &[
        "order",
        "orderid",
        "orderno",
        "ordernumber",
        "invoice",
        "invoiceid",
        "invoiceno",
        "invoicenumber",
        "receipt",
        "receiptid",
        "basketid",
        "transactionid",
        "documentno",
        "salesorder",
    ],
    kinds: ID,
    looks: |column| column.nulls < 0.1,
};
pub(super) const QUANTITY: Role = Role {
    name: "quantity",
    names: &["quantity", "qty", "units", "pieces", "count", "menge"],
    kinds: NUMBER,
    looks: |column| column.distinct < 0.5,
};
pub(super) const UNIT_PRICE: Role = Role {
    name: "unit_price",
    names: &["unitprice", "price", "priceperunit", "itemprice", "listprice", "salesprice"],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};
const PRODUCT: Role = Role {
    name: "product_id",
    names: &[
        "product",
        "productid",
        "productno",
        "sku",
        "item",
        "itemid",
        "itemno",
        "article",
        "articleid",
        "articleno",
        "stockcode",
        "material",
        "materialno",
    ],
    kinds: ID,
    looks: |column| column.nulls < 0.5,
};
const DISCOUNT: Role = Role {
    name: "discount",
    names: &["discount", "discountamount", "rebate", "rabatt", "reduction"],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};
const PRODUCT_COST: Role = Role {
    name: "product_cost",
    names: &["productcost", "cost", "cogs", "costofgoods", "costofsales", "standardcost"],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};
const UNIT_COST: Role = Role {
    name: "unit_cost",
    names: &["unitcost", "cost", "standardcost", "costprice", "purchaseprice", "costperunit"],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};
const CURRENCY: Role = Role {
    name: "currency",
    names: &["currency", "currencycode", "curr", "waehrung"],
    kinds: &[Kind::Text],
    looks: |column| column.longest == 3,
};
const SEGMENT: Role = Role {
    name: "segment",
    names: &[
        "segment",
        "customersegment",
        "group",
        "customergroup",
        "category",
        "class",
        "tier",
        "type",
        "customertype",
    ],
    kinds: &[Kind::Text],
    looks: |column| column.distinct < 0.1,
};
const CHANNEL: Role = Role {
    name: "channel",
    names: &["channel", "saleschannel", "acquisitionchannel", "source"],
    kinds: &[Kind::Text],
    looks: |column| column.distinct < 0.1,
};
const REGION: Role = Role {
    name: "region",
    names: &["region", "country", "state", "territory", "area", "market"],
    kinds: &[Kind::Text],
    looks: |column| column.distinct < 0.1,
};
const ACTIVITY: Role = Role {
    name: "activity",
    names: &["activity", "pool", "costpool", "activityname"],
    kinds: &[Kind::Text],
    looks: |column| column.nulls == 0.0,
};
const DRIVER: Role = Role {
    name: "driver",
    names: &["driver", "drivername", "costdriver", "activitydriver", "kind"],
    kinds: &[Kind::Text],
    looks: |column| column.distinct < 0.1,
};
pub(super) const PERIOD: Role = Role {
    name: "period",
    names: &["period", "month", "quarter", "year", "fiscalyear", "fiscalperiod", "yearmonth"],
    kinds: &[Kind::Text, Kind::Integer, Kind::Day],
    looks: |column| column.kind == Kind::Day || period_of(column).is_some(),
};
const BALANCE: Role = Role {
    name: "balance",
    names: &["balance", "receivable", "receivables", "outstanding", "openamount", "openbalance"],
    kinds: NUMBER,
    looks: |column| column.kind == Kind::Fraction,
};

/// The kind of periods that all values of a column name.
pub(super) fn period_of(column: &Column) -> Option<PeriodKind> {
    let kinds = [PeriodKind::Year, PeriodKind::Quarter, PeriodKind::Month];
    let all = |kind: &PeriodKind| column.few.iter().all(|label| kind.parse(label).is_some());
    kinds.into_iter().find(all).filter(|_| !column.few.is_empty())
}

/// Names of a cost that is a whole line's: any other cost beside a quantity may be that of one unit.
pub(super) const LINE_COSTS: [&str; 4] = ["productcost", "cogs", "costofgoods", "costofsales"];

/// A table's roles: those it must have (one of each), and those it may have.
pub(super) struct Shape {
    pub(super) table: TableName,
    pub(super) names: &'static [&'static str],
    pub(super) must: &'static [&'static Role],
    pub(super) may: &'static [&'static Role],
    /// Whether each customer or product stands in it once.
    pub(super) unique: bool,
}

pub(super) const SHAPES: [Shape; 6] = [
    Shape {
        table: TableName::Transactions,
        names: &["transactions", "ledger", "sales", "orders", "lines", "invoices", "receipts", "purchases"],
        must: &[&CUSTOMER, &DATE],
        may: &[&AMOUNT, &QUANTITY, &UNIT_PRICE, &ORDER, &PRODUCT, &DISCOUNT, &PRODUCT_COST, &CURRENCY],
        unique: false,
    },
    Shape {
        table: TableName::Customers,
        names: &["customers", "clients", "accounts", "users", "members"],
        must: &[&CUSTOMER],
        may: &[&SEGMENT, &CHANNEL, &REGION],
        unique: true,
    },
    Shape {
        table: TableName::Products,
        names: &["products", "items", "articles", "materials", "catalog"],
        must: &[&PRODUCT, &UNIT_COST],
        may: &[],
        unique: true,
    },
    Shape {
        table: TableName::DriverQuantities,
        names: &["driverquantities", "drivers", "quantities", "servicelog", "usage"],
        must: &[&CUSTOMER, &DRIVER, &QUANTITY],
        may: &[&DATE, &PERIOD],
        unique: false,
    },
    Shape {
        table: TableName::Pools,
        names: &["pools", "costs", "costpools", "activitycosts"],
        must: &[&ACTIVITY, &AMOUNT],
        may: &[&CURRENCY, &PERIOD],
        unique: false,
    },
    Shape {
        table: TableName::Receivables,
        names: &["receivables", "balances", "openitems", "debtors"],
        must: &[&CUSTOMER, &BALANCE],
        may: &[&DATE, &PERIOD],
        unique: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_a_column_of_its_table() {
        for shape in SHAPES {
            let columns = shape.table.columns();
            for role in shape.must.iter().chain(shape.may) {
                assert!(columns.iter().any(|(name, _)| *name == role.name), "{}.{}", shape.table.as_str(), role.name);
            }
        }
    }
}
