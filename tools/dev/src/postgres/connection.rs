//! Connections to a server, ours or somebody's.

use std::fs;
use std::sync::Arc;

use anyhow::{Result, ensure};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Opens a connection and drives it until the client is dropped; TLS where the server offers it.
///
/// `DATABASE_CA` is read as by the functions: a path, or the PEM itself.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Ok(given) = std::env::var("DATABASE_CA") {
        let pem = if given.contains("-----BEGIN") { given.into_bytes() } else { fs::read(given)? };
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (client, connection) = tokio_postgres::connect(url, MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Lets `role` log in with `password`; the migrations create it without.
pub async fn let_in(owner_url: &str, role: &str, password: &str) -> Result<()> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    ensure!(plain(role) && plain(password), "a role or password that would need quoting");
    connect(owner_url).await?.batch_execute(&format!("alter role {role} login password '{password}'")).await?;
    Ok(())
}
