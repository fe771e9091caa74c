//! Pushes over a transport of the program.

use crate::Outcome;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Host, Question, Target, Ticket};
use prometheus_metrics::push::{Failure, HttpAnswer, HttpRequest, Pusher, PusherOptions, Transport};
use prometheus_metrics::{ErrorKind, Registry};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a transport was asked for: method, address and names of headers of each request, or `rest`.
type Log = Arc<Mutex<Vec<String>>>;

/// Gives these answers, one after the other; the last one stays.
struct Scripted {
    answers: Vec<Result<u16, Failure>>,
    given: usize,
    log: Log,
}

impl Transport for Scripted {
    fn send(&mut self, request: &HttpRequest<'_>, deadline: Instant) -> Result<HttpAnswer, Failure> {
        assert!(deadline > Instant::now() && !request.body.is_empty());
        let scheme = if request.tls.is_some() { "https" } else { "http" };
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        let HttpRequest { method, host, port, target, .. } = request;
        let line = format!("{method} {scheme}://{host}:{port}{target} {}", names.join(","));
        self.log.lock().expect("no test panics here").push(line);
        let answer = self.answers[self.given.min(self.answers.len() - 1)].clone();
        self.given += 1;
        answer.map(|status| HttpAnswer { status, ..HttpAnswer::default() })
    }

    fn rest(&mut self) {
        self.log.lock().expect("no test panics here").push("rest".to_owned());
    }
}

fn pusher(url: &str, answers: Vec<Result<u16, Failure>>) -> prometheus_metrics::Result<(Pusher, Log)> {
    let log = Log::default();
    let transport = Box::new(Scripted { answers, given: 0, log: Arc::clone(&log) });
    Ok((over(transport, url, PusherOptions::default())?, log))
}

fn over(
    transport: Box<dyn Transport>,
    url: &str,
    options: PusherOptions,
) -> prometheus_metrics::Result<Pusher> {
    let config = MetricsConfig::default()
        .push_url(Some(url.to_owned()))
        .push_protocol("remote-write-1".to_owned())
        .push_headers(vec!["X-Tenant=me".to_owned()])
        .push_interval(Duration::from_secs(3600));
    let registry = Arc::new(Registry::new());
    registry.counter("requests_total", "Requests")?.inc();
    let target = Arc::new(Target::new(registry, None)?);
    Pusher::start_over(transport, target, &config, options)
}

#[test]
fn a_transport_gets_whole_requests_and_rests_between_pushes() -> Outcome {
    let broken = |why: &str| Err(Failure::Exchange(why.to_owned()));
    let (pusher, log) =
        pusher("https://[::1]/write?a=b", vec![Err(Failure::Timeout), broken("gone"), Ok(204)])?;
    pusher.flush(PATIENCE)?;
    assert_eq!(pusher.stats().failures, 2);
    assert_eq!(pusher.stats().last_error.as_deref(), Some("the connection broke: gone"));
    let log = || log.lock().expect("no test panics here").clone();
    let sent = "POST https://::1:443/write?a=b Host,Content-Type,Content-Length,Content-Encoding,\
                X-Prometheus-Remote-Write-Version,User-Agent,x-tenant";
    assert_eq!(log().iter().filter(|line| *line == sent).count(), 3, "{:?}", log());
    let begun = Instant::now();
    while log().last().map(String::as_str) != Some("rest") && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(log().last().map(String::as_str), Some("rest"));
    assert!(pusher.close(PATIENCE));
    Ok(())
}

#[test]
fn an_answer_that_refuses_is_an_error() -> Outcome {
    let (pusher, _) = pusher("http://receiver:9/", vec![Ok(301)])?;
    let error = pusher.flush(PATIENCE).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::PushFailed);
    assert!(
        error.to_string().ends_with("receiver:9 did not accept the push; last failure: it answered 301"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_last_push_that_is_lost_is_reported() -> Outcome {
    let (pusher, _) = pusher("http://receiver:9/", vec![Ok(204), Err(Failure::Timeout)])?;
    pusher.flush(PATIENCE)?;
    assert!(!pusher.close(Duration::from_millis(200)), "only the push before was accepted");
    Ok(())
}

/// Panics once.
struct Panicking(bool);

impl Transport for Panicking {
    fn send(&mut self, _: &HttpRequest<'_>, _: Instant) -> Result<HttpAnswer, Failure> {
        assert!(std::mem::replace(&mut self.0, true), "as it must");
        Ok(HttpAnswer { status: 204, ..HttpAnswer::default() })
    }
}

#[test]
fn a_transport_that_panics_is_asked_again() -> Outcome {
    let pusher = over(Box::new(Panicking(false)), "http://receiver:9/", PusherOptions::default())?;
    pusher.flush(PATIENCE)?;
    assert_eq!(pusher.stats().last_error.as_deref(), Some("the connection broke: the transport panicked"));
    Ok(())
}

/// A program whose collectors begin and never end.
#[derive(Default)]
struct Hanging(Mutex<Vec<Ticket>>);

impl Host for Hanging {
    fn collects(&self) -> bool {
        true
    }

    fn ask(&self, _: Question, ticket: Ticket) {
        ticket.begin();
        self.0.lock().expect("no test panics here").push(ticket);
    }
}

#[test]
fn a_collector_that_is_under_way_does_not_delay_the_last_push() -> Outcome {
    let host = Arc::new(Hanging::default());
    let options = PusherOptions::default().host(Some(Arc::clone(&host) as Arc<dyn Host>));
    let transport = Scripted { answers: vec![Ok(204)], given: 0, log: Log::default() };
    let pusher = over(Box::new(transport), "http://receiver:9/", options)?;
    let begun = Instant::now();
    while host.0.lock().expect("no test panics here").is_empty() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(pusher.close_now(Duration::from_secs(5)));
    assert_eq!(host.0.lock().expect("no test panics here").len(), 1);
    Ok(())
}
