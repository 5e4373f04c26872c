//! One TLS configuration and one HTTP client per process, shared by every service outside.
//! ring and embedded roots: reading the system's certificates costs more than the rest of a cold start.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// The TLS settings of every connection out: TLS 1.2 and 1.3, Mozilla's roots, ring.
///
/// # Panics
/// Never: ring supports the versions asked for.
pub fn tls() -> Arc<ClientConfig> {
    Arc::new(with_roots(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, false))
}

/// The TLS settings of the database connection: the usual roots and the given one (Supabase's own CA).
///
/// P-256 goes first because Postgres up to 17 asks for it, and a wrong guess costs a round trip.
///
/// # Errors
/// `given` is neither PEM text nor the path of a PEM file.
pub fn database_tls(given: Option<&str>) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(given) = given {
        let invalid = |why: String| ConfigError::Invalid { name: "DATABASE_CA", why };
        let pem = if given.contains("-----BEGIN") {
            given.as_bytes().to_vec()
        } else {
            std::fs::read(given).map_err(|error| invalid(format!("{given}: {error}")))?
        };
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
        }
    }
    Ok(with_roots(roots, true))
}

fn with_roots(roots: RootCertStore, p256_first: bool) -> ClientConfig {
    let mut provider = rustls::crypto::ring::default_provider();
    if p256_first {
        provider.kx_groups = vec![rustls::crypto::ring::kx_group::SECP256R1, rustls::crypto::ring::kx_group::X25519];
    }
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The HTTP client of the process: keep-alive, no redirects, a bound on connecting.
///
/// Callers set the bound on the whole request. Redirects are refused because none of our services
/// redirects, and a key must not follow one.
///
/// # Panics
/// Never: the settings are fixed.
pub fn client(tls: &Arc<ClientConfig>) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured((**tls).clone())
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(50))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("InkFlow/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("the settings are fixed")
}
