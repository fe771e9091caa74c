//! Pushes over the crate's own client: to a receiver that decodes requests with `prost` and answers as a test says, and over TLS.

mod messages;

use messages::{Request2, WriteRequest};
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::Target;
use prometheus_metrics::push::{Pusher, PusherOptions};
use prometheus_metrics::{ErrorKind, Registry};
use prost::Message;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The result of a test. An error fails it, so a test uses `?` where a call must succeed.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A request: its head in lower case, and its body.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A receiver with these answers, one after the other; the last one stays. Returns its address and what it receives.
fn receiver(answers: &'static [&'static str]) -> std::io::Result<(String, Received)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let received = Received::default();
    let all = Arc::clone(&received);
    std::thread::spawn(move || {
        let mut given = 0;
        for socket in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(socket);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap_or(0) == 0 {
                    break;
                }
            }
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            all.lock().expect("no test panics here").push((head, body));
            let answer = answers[given.min(answers.len() - 1)];
            given += 1;
            let _ = reader
                .get_mut()
                .write_all(format!("HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n").as_bytes());
        }
    });
    Ok((address, received))
}

fn pusher(address: &str, protocol: &str, registry: &Arc<Registry>) -> prometheus_metrics::Result<Pusher> {
    let config = MetricsConfig::default()
        .push_url(Some(format!("http://{address}/api/v1/write")))
        .push_protocol(protocol.to_owned())
        .push_job(Some("test".to_owned()))
        .push_instance(Some("me".to_owned()))
        .push_interval(Duration::from_secs(3600));
    let target = Arc::new(Target::new(Arc::clone(registry), None)?);
    Pusher::start(target, &config, PusherOptions::default())
}

const PATIENCE: Duration = Duration::from_secs(30);

fn unsnappy(body: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(body).expect("it is snappy")
}

/// The labels and the value of the series with this name.
fn first_of(request: &WriteRequest, name: &str) -> Option<(Vec<String>, f64)> {
    let is_it = |label: &messages::Pair| label.name == "__name__" && label.value == name;
    let series = request.timeseries.iter().find(|series| series.labels.iter().any(is_it))?;
    let labels = series.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
    Some((labels, series.samples[0].value))
}

#[test]
fn version_1_is_decoded_by_prost() -> Outcome {
    let (address, received) = receiver(&["503 Busy", "204 No Content"])?;
    let registry = Arc::new(Registry::new());
    registry.counter_vec("requests_total", "Requests", &["method", "Area"])?.with(&["GET", "x"])?.add(2.5)?;
    let pusher = pusher(&address, "remote-write-1", &registry)?;
    pusher.flush(PATIENCE)?;
    let received = received.lock().expect("no test panics here");
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1], "it is sent again as it was");
    let (head, body) = &received[1];
    for expected in ["post /api/v1/write http/1.1", "content-encoding: snappy", "remote-write-version: 0.1.0"]
    {
        assert!(head.contains(expected), "{head}");
    }
    let request = WriteRequest::decode(&unsnappy(body)[..])?;
    let labels = ["Area=x", "__name__=requests_total", "instance=me", "job=test", "method=GET"];
    assert_eq!(first_of(&request, "requests_total"), Some((labels.map(str::to_owned).to_vec(), 2.5)));
    assert_eq!(request.metadata[0].name, "requests_total");
    assert_eq!((request.metadata[0].kind, request.metadata[0].help.as_str()), (1, "Requests"));
    Ok(())
}

#[test]
fn version_2_is_decoded_by_prost() -> Outcome {
    let (address, received) =
        receiver(&["204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: 1000000"])?;
    let registry = Arc::new(Registry::new());
    registry.counter("requests_total", "Requests")?.inc();
    let pusher = pusher(&address, "remote-write", &registry)?;
    pusher.flush(PATIENCE)?;
    assert!(pusher.close(PATIENCE));
    let received = received.lock().expect("no test panics here");
    let request = Request2::decode(&unsnappy(&received[0].1)[..])?;
    let text = |at: &u32| request.symbols[*at as usize].as_str();
    let series = &request.timeseries[0];
    let labels: Vec<&str> = series.labels_refs.iter().map(text).collect();
    assert_eq!(labels, ["__name__", "requests_total", "instance", "me", "job", "test"]);
    let metadata = series.metadata.clone().unwrap_or_default();
    assert_eq!((metadata.kind, text(&metadata.help_ref), text(&metadata.unit_ref)), (1, "Requests", ""));
    let sample = &series.samples[0];
    assert!(sample.start_timestamp > 0 && sample.start_timestamp <= sample.timestamp);
    let last = Request2::decode(&unsnappy(&received[received.len() - 1].1)[..])?;
    let ended =
        last.timeseries.iter().all(|series| series.samples[0].value.to_bits() == 0x7ff0_0000_0000_0002);
    assert!(ended && last.timeseries.len() == request.timeseries.len());
    Ok(())
}

#[test]
fn a_push_that_is_refused_is_an_error_with_the_answer() -> Outcome {
    let (address, _) = receiver(&["403 Forbidden"])?;
    let registry = Arc::new(Registry::new());
    let pusher = pusher(&address, "remote-write-1", &registry)?;
    let error = pusher.flush(PATIENCE).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::PushFailed);
    assert!(error.to_string().ends_with("it answered 403"), "{error}");
    assert_eq!(pusher.stats().dropped, 1);
    assert!(!pusher.close(PATIENCE));
    assert!(pusher.flush(PATIENCE).is_err(), "it is closed");
    Ok(())
}

/// An authority: its certificate in PEM, and what makes others.
fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let cert = params.self_signed(&key)?.pem();
    Ok((cert, Issuer::new(params, key)))
}

/// A receiver of https that answers 204 to each connection's first request; returns its port.
fn secure_receiver(issuer: &Issuer<'static, KeyPair>) -> Result<u16, Box<dyn std::error::Error>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    let chain = vec![CertificateDer::from_pem_slice(params.signed_by(&key, issuer)?.pem().as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())?;
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let server = Arc::new(server);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let Ok(session) = ServerConnection::new(Arc::clone(&server)) else { return };
            let mut stream = StreamOwned::new(session, socket);
            let mut piece = [0; 4096];
            // A client that does not believe the certificate sends nothing.
            if stream.read(&mut piece).is_ok_and(|read| read > 0) {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                // To close while bytes arrive would reset the connection, and the answer would be lost.
                while stream.read(&mut piece).is_ok_and(|read| read > 0) {}
            }
        }
    });
    Ok(port)
}

#[test]
fn https_needs_a_certificate_of_the_authority_that_is_set() -> Outcome {
    let ((cert, issuer), (other, _)) = (authority()?, authority()?);
    let port = secure_receiver(&issuer)?;
    let folder = std::env::temp_dir();
    for (name, text, is_believed) in [("right", cert, true), ("other", other, false)] {
        let file = folder.join(format!("push-{name}-{}.pem", std::process::id()));
        std::fs::write(&file, text)?;
        let config = MetricsConfig::default()
            .push_url(Some(format!("https://127.0.0.1:{port}/")))
            .push_protocol("remote-write-1".to_owned())
            .push_interval(Duration::from_secs(3600))
            .push_tls_ca_file(Some(file.to_string_lossy().into_owned()));
        let target = Arc::new(Target::new(Arc::new(Registry::new()), None)?);
        let pusher = Pusher::start(target, &config, PusherOptions::default())?;
        let pushed = pusher.flush(if is_believed { PATIENCE } else { Duration::from_millis(500) });
        assert_eq!(pushed.is_ok(), is_believed, "{name}: {pushed:?}");
        let error = pusher.stats().last_error.unwrap_or_default();
        assert_eq!(error.contains("certificate"), !is_believed, "{error}");
        std::fs::remove_file(file)?;
    }
    Ok(())
}

#[test]
fn a_handshake_of_single_bytes_takes_no_longer_than_a_request_may() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            // The head of a handshake's record, whose contents take their time.
            let sent = socket.write_all(&[22, 3, 3, 64, 0]);
            let mut is_open = sent.is_ok();
            while is_open {
                std::thread::sleep(Duration::from_millis(20));
                is_open = socket.write_all(&[2]).is_ok();
            }
        }
    });
    let file = std::env::temp_dir().join(format!("push-slow-{}.pem", std::process::id()));
    std::fs::write(&file, authority()?.0)?;
    let config = MetricsConfig::default()
        .push_url(Some(format!("https://127.0.0.1:{port}/")))
        .push_interval(Duration::from_secs(3600))
        .push_timeout(Duration::from_millis(200))
        .push_tls_ca_file(Some(file.to_string_lossy().into_owned()));
    let registry = Arc::new(Registry::new());
    registry.counter("pushes_total", "Pushes")?.inc();
    let pusher = Pusher::start(Arc::new(Target::new(registry, None)?), &config, PusherOptions::default())?;
    assert!(pusher.flush(Duration::from_secs(2)).is_err());
    let stats = pusher.stats();
    assert!(stats.failures > 0 && stats.last_error.as_deref() == Some("no answer in time"), "{stats:?}");
    std::fs::remove_file(file)?;
    Ok(())
}
