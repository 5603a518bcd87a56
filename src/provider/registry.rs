//! The providers that are built in: one line each.

use super::Driver;

/// Every provider, in the order in which they are shown.
pub static DRIVERS: &[&Driver] = &[
    &super::pebble::DRIVER,
    &super::sprites::DRIVER,
    &super::rexec::DRIVER,
    &super::vergeos::DRIVER,
    &super::pi::PI,
    &super::pi::OMP,
];

/// The provider called `id`.
pub fn driver(id: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|driver| driver.id == id).copied()
}
