//! Allows client certificates by name. It reads the names from a certificate that was already verified. It must not
//! know files.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Accepts the clients that another verifier accepts and that have one of the allowed names.
#[derive(Debug)]
pub(super) struct AllowedNames {
    verifier: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

impl AllowedNames {
    pub(super) fn new(verifier: Arc<dyn ClientCertVerifier>, allowed: Vec<String>) -> Self {
        Self { verifier, allowed }
    }
}

impl ClientCertVerifier for AllowedNames {
    fn offer_client_auth(&self) -> bool {
        self.verifier.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(certificate, intermediates, now)?;
        let names = alternative_names(certificate).unwrap_or_default();
        if names.iter().any(|name| self.allowed.contains(name)) {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

pub(super) const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3]` of RFC 5280's `TBSCertificate`.
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17, `subjectAltName`.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// The DNS names, e-mail addresses, URIs and IP addresses of a certificate (RFC 5280, section 4.2.1.6), without other
/// kinds of names. `None` if the certificate has no names or is not valid DER.
fn alternative_names(certificate: &[u8]) -> Option<Vec<String>> {
    let certificate = Elements(certificate).next_of(SEQUENCE)?;
    let to_be_signed = Elements(certificate).next_of(SEQUENCE)?;
    let (_, extensions) = Elements(to_be_signed).find(|(tag, _)| *tag == EXTENSIONS)?;
    let extensions = Elements(extensions).next_of(SEQUENCE)?;
    let names = Elements(extensions).find_map(|(_, extension)| {
        let mut parts = Elements(extension);
        let id = parts.next_of(OBJECT_IDENTIFIER)?;
        // The flag for a critical extension may come in between.
        let (_, value) = parts.find(|(tag, _)| *tag == OCTET_STRING)?;
        (id == SUBJECT_ALT_NAME).then_some(value)
    })?;
    let names = Elements(Elements(names).next_of(SEQUENCE)?);
    Some(names.filter_map(|(tag, name)| general_name(tag, name)).collect())
}

fn general_name(tag: u8, name: &[u8]) -> Option<String> {
    match tag {
        // rfc822Name, dNSName, uniformResourceIdentifier.
        0x81 | 0x82 | 0x86 => std::str::from_utf8(name).ok().map(str::to_owned),
        // iPAddress.
        0x87 => match name.len() {
            4 => <[u8; 4]>::try_from(name).ok().map(|octets| IpAddr::from(octets).to_string()),
            16 => {
                <[u8; 16]>::try_from(name).ok().map(|octets| IpAddr::from(octets).to_canonical().to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Iterates over consecutive DER elements, with the tag and content of each. Ends at the first incomplete element.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next element, if it has this tag.
    pub(super) fn next_of(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            // The number of length bytes. Four bytes are enough for 4 GiB.
            let (bytes, after) =
                rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, content))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::alternative_names;

    fn certificate(names: &[&str]) -> Vec<u8> {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn all_names_are_read_with_lengths_of_several_bytes_too() {
        let long = format!("{}.example.com", "a".repeat(200));
        let names = ["a.example.com", "192.0.2.1", "::1", &long];
        assert_eq!(alternative_names(&certificate(&names)), Some(names.map(str::to_owned).to_vec()));
        assert_eq!(alternative_names(&certificate(&[])), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, at: prop::sample::Index, byte: u8, length: prop::sample::Index) {
            static GOOD: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| certificate(&["a", "192.0.2.1"]));
            let _ = alternative_names(&bytes);
            let mut broken = GOOD.clone();
            *at.get_mut(&mut broken) = byte;
            let _ = alternative_names(&broken[..length.index(broken.len() + 1)]);
            let _ = alternative_names(&broken);
        }
    }
}
