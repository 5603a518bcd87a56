//! Configuration as it is written in files.

mod endpoint;

pub use endpoint::EndpointConfig;
