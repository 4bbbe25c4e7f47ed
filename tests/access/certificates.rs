//! Certificates that sign themselves.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// A certificate for `localhost` and 127.0.0.1, and its key.
pub struct Made {
    pub cert: String,
    pub key: String,
}

/// One that is valid for long.
pub fn make() -> Made {
    until(2100)
}

/// One that ends with the beginning of this year.
pub fn until(year: i32) -> Made {
    made_from(&params(year))
}

/// What such a one says.
pub fn params(year: i32) -> CertificateParams {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
    params
}

/// One that says this, with a key of its own.
pub fn made_from(params: &CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    Made { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

impl Made {
    /// As files of a server.
    pub fn files(&self) -> [(&str, &str); 2] {
        [("cert.pem", &self.cert), ("key.pem", &self.key)]
    }
}
