//! Starts each example as its reader does and compares what it prints or serves. `cargo test` builds
//! the examples before it; `cargo test --test examples` alone needs `cargo build --examples` first.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// At most a screen.
const MAX_LINES: usize = 50;

/// The program of an example. Cargo puts examples beside the folder of the tests.
fn program(name: &str) -> Result<Command, Box<dyn std::error::Error>> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).ok_or("the test has no folder")?.join("examples");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "Expected {}: build it with cargo build --examples", path.display());
    Ok(Command::new(path))
}

fn output(name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let output = program(name)?.output()?;
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// A running example, which is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an example that serves; returns it with the URL that it prints first.
fn serve(name: &str) -> Result<(Running, String), Box<dyn std::error::Error>> {
    let mut running =
        Running(program(name)?.env_remove("METRICS_ENDPOINT_PORT").stdout(Stdio::piped()).spawn()?);
    let mut url = String::new();
    BufReader::new(running.0.stdout.take().ok_or("no output")?).read_line(&mut url)?;
    Ok((running, url.trim().to_owned()))
}

/// The body of a URL.
fn get(url: &str) -> Result<String, Box<dyn std::error::Error>> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("Expected a URL but received {url:?}"))?;
    let (authority, path) = rest.split_once('/').ok_or("the URL has no path")?;
    let port = authority.rsplit(':').next().ok_or("the URL has no port")?;
    let mut socket = TcpStream::connect(("127.0.0.1", port.parse()?))?;
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Ok(body.to_owned())
}

#[test]
fn basic_metrics_prints_its_exposition() -> Outcome {
    let text = output("basic_metrics")?;
    // How long the timer ran differs from run to run.
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.contains("_sum{queue=\"mail\"}") && !line.is_empty()).collect();
    assert_eq!(
        lines.join("\n"),
        r#"# HELP jobs_total Jobs that have ended
# TYPE jobs_total counter
jobs_total{queue="mail",outcome="done"} 3
jobs_total{queue="reports",outcome="failed"} 1
# HELP jobs_waiting Jobs that wait for a worker
# TYPE jobs_waiting gauge
jobs_waiting 0
# HELP job_duration_seconds Run time
# TYPE job_duration_seconds histogram
job_duration_seconds_bucket{le="0.1",queue="mail"} 2
job_duration_seconds_bucket{le="1",queue="mail"} 3
job_duration_seconds_bucket{le="10",queue="mail"} 3
job_duration_seconds_bucket{le="+Inf",queue="mail"} 3
job_duration_seconds_count{queue="mail"} 3
job_duration_seconds_bucket{le="0.1",queue="reports"} 0
job_duration_seconds_bucket{le="1",queue="reports"} 0
job_duration_seconds_bucket{le="10",queue="reports"} 0
job_duration_seconds_bucket{le="+Inf",queue="reports"} 1
job_duration_seconds_sum{queue="reports"} 42
job_duration_seconds_count{queue="reports"} 1"#
    );
    Ok(())
}

#[test]
fn custom_collector_shows_what_it_read() -> Outcome {
    let text = output("custom_collector")?;
    assert!(
        text.starts_with("# HELP scrapes_total Scrapes\n# TYPE scrapes_total counter\nscrapes_total 1\n")
    );
    if cfg!(target_os = "linux") {
        let loads: Vec<&str> = text.lines().filter(|line| line.starts_with("node_load{")).collect();
        let minutes: Vec<&str> = loads.iter().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(minutes, ["1", "5", "15"]);
    }
    Ok(())
}

#[test]
fn llm_monitoring_prints_tokens_and_cost() -> Outcome {
    assert_eq!(
        output("llm_monitoring")?,
        r#"The request cost 0.00042 dollars.
llmdevops_llm_requests_total{model="gpt-4o-mini",provider="openai",operation="chat",status="success"} 2
llmdevops_llm_requests_total{model="gpt-4o-mini",provider="openai",operation="chat",status="error"} 1
llmdevops_llm_tokens_total{model="gpt-4o-mini",provider="openai",type="input"} 2400
llmdevops_llm_tokens_total{model="gpt-4o-mini",provider="openai",type="output"} 800
llmdevops_llm_errors_total{model="gpt-4o-mini",provider="openai",error_type="rate_limit"} 1
llmdevops_llm_cost_usd_total{model="gpt-4o-mini",provider="openai"} 0.00084
llmdevops_llm_streaming_requests_total{model="gpt-4o-mini",provider="openai"} 1
llmdevops_llm_streaming_chunks_total{model="gpt-4o-mini",provider="openai"} 2
"#
    );
    Ok(())
}

#[test]
fn agent_monitoring_prints_steps_and_tools() -> Outcome {
    assert_eq!(
        output("agent_monitoring")?,
        r#"llmdevops_agent_executions_total{agent_type="researcher",status="success"} 1
llmdevops_agent_steps_total{agent_type="researcher",step_type="llm"} 1
llmdevops_agent_tool_calls_total{agent_type="researcher",tool_name="search",status="success"} 2
llmdevops_agent_repeated_tool_calls_total{agent_type="researcher"} 1
llmdevops_agent_handoffs_total{from_agent="researcher",to_agent="writer",status="success"} 1
llmdevops_agent_tokens_total{agent_type="researcher",type="input"} 1200
llmdevops_agent_tokens_total{agent_type="researcher",type="output"} 400
"#
    );
    Ok(())
}

#[test]
fn http_server_is_scraped() -> Outcome {
    let (_running, url) = serve("http_server")?;
    assert!(get(&url)?.contains(
        "# HELP ticks_total Seconds that this program has counted\n# TYPE ticks_total counter\nticks_total "
    ));
    Ok(())
}

#[test]
fn axum_router_serves_both_routes() -> Outcome {
    let (_running, url) = serve("axum_router")?;
    let work = url.replace("/metrics", "/work");
    assert_eq!(get(&work)?, "Done.\n");
    assert_eq!(get(&work)?, "Done.\n");
    assert!(get(&url)?.contains("\nwork_calls_total 2\n"));
    Ok(())
}

#[cfg(feature = "prometheus-client")]
#[test]
fn prometheus_client_bridge_shows_both_registries() -> Outcome {
    assert_eq!(
        output("prometheus_client_bridge")?,
        r#"Scrape of this crate:

# HELP jobs_total Jobs that have ended
# TYPE jobs_total counter
jobs_total 1

# HELP queries_total Queries of the database.
# TYPE queries_total counter
queries_total{table="users"} 1

Scrape of prometheus-client:

# HELP jobs_waiting Jobs that wait for a worker
# TYPE jobs_waiting gauge
jobs_waiting 3.0
# EOF
"#
    );
    Ok(())
}

#[test]
fn each_example_fits_a_screen_and_says_how_to_run_it() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<_, std::io::Error>>()?;
    assert!(files.len() >= 7, "the examples are found");
    for file in files {
        let name = file.file_stem().and_then(|name| name.to_str()).ok_or("an example has no name")?;
        let text = std::fs::read_to_string(&file)?;
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines");
        let mut header = text.lines().take_while(|line| line.starts_with("//!"));
        let command = format!("`cargo run --example {name}");
        assert!(header.any(|line| line.contains(&command)), "{name}: its header lacks {command}`");
    }
    Ok(())
}
