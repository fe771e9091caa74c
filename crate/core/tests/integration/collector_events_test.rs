//! Plays one script of events through Rust; `__test__/collectors/events.test.mjs` plays it through TypeScript. Both must
//! write the same bytes. The expected files keep the lines that are not 0; `events.wholes.json` has the length and the
//! FNV-1a hash of each whole exposition. That test writes these files (`UPDATE_EXPOSITIONS=1`); this one only reads them.

use crate::Outcome;
use prometheus_metrics::collectors::{
    AgentErrorType, AgentExecution, AgentMetricsCollector, AgentOptions, CacheResult, ExecutionReport,
    ExecutionStatus, FinishReason, GuardrailResult, GuardrailStage, Interruption, LlmCall, LlmEnd,
    LlmErrorType, LlmMedia, LlmMetricsCollector, LlmObjectives, LlmOperation, LlmOptions, LlmRequest,
    LlmStatus, LlmTarget, LlmUsage, MediaUnit, MemoryOperation, Price, PriceTable, RateLimitResource, Spent,
    StepType, TierPrice, TokenPrices, ToolStatus,
};
use prometheus_metrics::testing::MockClock;
use prometheus_metrics::{Format, Registry, Result};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

fn read(name: &str) -> std::io::Result<String> {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../__test__/collectors"].iter().collect();
    std::fs::read_to_string(directory.join(name))
}

/// A word of the script as the type that has it.
fn word<W>(value: &Value, from_name: fn(&str) -> Option<W>) -> Option<W> {
    let name = value.as_str()?;
    Some(from_name(name).unwrap_or_else(|| panic!("{name} is a word")))
}

/// A word that stands for itself where the script says none.
fn word_or<W>(value: &Value, from_name: fn(&str) -> Option<W>, default: W) -> W {
    word(value, from_name).unwrap_or(default)
}

/// An invalid amount counts as missing, as it does in a typed program.
fn amount(value: &Value) -> Option<f64> {
    value.as_f64().filter(|amount| *amount >= 0.0)
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64()
}

fn milliseconds(value: &Value) -> Option<Duration> {
    amount(value).map(|ms| Duration::from_secs_f64(ms / 1000.0))
}

fn time(value: &Value) -> Option<SystemTime> {
    milliseconds(value).map(|since| SystemTime::UNIX_EPOCH + since)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The kind of an error: its word, or what an answer says.
fn llm_error(value: &Value) -> LlmErrorType {
    word(value, LlmErrorType::from_name).unwrap_or_else(|| {
        let status = count(&value["status"]).and_then(|status| u16::try_from(status).ok());
        let codes: Vec<&str> =
            [&value["code"], &value["type"]].into_iter().filter_map(Value::as_str).collect();
        LlmErrorType::of(status, &codes)
    })
}

fn agent_error(value: &Value) -> AgentErrorType {
    word(value, AgentErrorType::from_name).unwrap_or_else(|| llm_error(value).into())
}

fn target(value: &Value) -> LlmTarget<'_> {
    LlmTarget::new(text(&value["model"]), text(&value["provider"])).for_operation(word_or(
        &value["operation"],
        LlmOperation::from_name,
        LlmOperation::Chat,
    ))
}

fn end(value: &Value) -> LlmEnd<'_> {
    let calls = value["serverToolCalls"].as_object().into_iter().flatten();
    let calls: Vec<(&str, u64)> =
        calls.map(|(tool, calls)| (tool.as_str(), count(calls).unwrap_or_default())).collect();
    let media = |media: &Value| {
        Some(LlmMedia {
            unit: word(&media["unit"], MediaUnit::from_name)?,
            amount: media["amount"].as_f64()?,
        })
    };
    LlmEnd::default()
        .usage(
            LlmUsage::default()
                .input_tokens(count(&value["inputTokens"]))
                .output_tokens(count(&value["outputTokens"]))
                .cache_read_tokens(count(&value["cacheReadTokens"]))
                .cache_write_tokens(count(&value["cacheWriteTokens"]))
                .cache_write_long_tokens(count(&value["cacheWriteLongTokens"]))
                .reasoning_tokens(count(&value["reasoningTokens"]))
                .audio_input_tokens(count(&value["audioInputTokens"]))
                .audio_output_tokens(count(&value["audioOutputTokens"]))
                .image_input_tokens(count(&value["imageInputTokens"]))
                .image_output_tokens(count(&value["imageOutputTokens"])),
        )
        .finish_reason(word(&value["finishReason"], FinishReason::from_name))
        .cost_usd(value["costUsd"].as_f64())
        .service_tier(value["serviceTier"].as_str())
        // The script lives as long as the test.
        .server_tools(calls.leak())
        .media(media(&value["media"]))
}

fn request(value: &Value) -> LlmRequest<'_> {
    let error = &value["error"];
    LlmRequest::of(target(value))
        .end(end(value))
        .status(word(&value["status"], LlmStatus::from_name))
        .error_type(
            word(&value["errorType"], LlmErrorType::from_name)
                .or_else(|| (!error.is_null()).then(|| llm_error(error))),
        )
        .duration(milliseconds(&value["durationMs"]))
        .time_to_first_token(milliseconds(&value["timeToFirstTokenMs"]))
        .chunks(count(&value["chunks"]))
        .interrupted(word(&value["interrupted"], Interruption::from_name))
        .longest_gap(milliseconds(&value["longestGapMs"]))
        .stalls(count(&value["stalls"]))
        .queue(milliseconds(&value["queueMs"]))
}

fn report(value: &Value) -> ExecutionReport<'_> {
    ExecutionReport::new(
        text(&value["agentType"]),
        word_or(&value["status"], ExecutionStatus::from_name, ExecutionStatus::Success),
    )
    .duration(milliseconds(&value["durationMs"]))
    .steps(count(&value["steps"]))
    .model_calls(count(&value["modelCalls"]))
    .tool_calls(count(&value["toolCalls"]))
    .error_type(word(&value["errorType"], AgentErrorType::from_name))
}

fn tokens(value: &Value) -> TokenPrices {
    let dollars = |name: &str| value[name].as_f64();
    TokenPrices::default()
        .input(dollars("input"))
        .output(dollars("output"))
        .cache_read(dollars("cacheRead"))
        .cache_write(dollars("cacheWrite"))
        .cache_write_long(dollars("cacheWriteLong"))
        .reasoning(dollars("reasoning"))
        .audio_input(dollars("audioInput"))
        .audio_output(dollars("audioOutput"))
        .image_input(dollars("imageInput"))
        .image_output(dollars("imageOutput"))
}

fn price(value: &Value) -> Price {
    let dollars = |name: &str| value[name].as_f64();
    let long = &value["longContext"];
    let mut price = Price::default()
        .tokens(tokens(value))
        .long_context(count(&long["above"]).map(|above| (above, tokens(long))))
        .image(dollars("image"))
        .audio_second(dollars("audioSecond"))
        .characters(dollars("characters"));
    for (tier, change) in value["tiers"].as_object().into_iter().flatten() {
        let change = change.as_f64().map_or_else(|| TierPrice::Prices(tokens(change)), TierPrice::Factor);
        price = price.tier(tier, change);
    }
    for (tool, dollars) in value["serverTools"].as_object().into_iter().flatten() {
        price = price.server_tool(tool, dollars.as_f64().unwrap_or(f64::NAN));
    }
    price
}

fn prices(script: &Value) -> Result<PriceTable> {
    let mut models = script["prices"].as_object().into_iter().flatten();
    models.try_fold(PriceTable::new(), |mut table, (model, entry)| {
        let Some(dated) = entry.as_array() else { return table.with(model, price(entry)) };
        for entry in dated {
            table = table.with_from(model, text(&entry["from"]), price(entry))?;
        }
        Ok(table)
    })
}

/// Who plays the script.
struct Player<'a> {
    clock: &'a MockClock,
    llm: LlmMetricsCollector,
    agents: AgentMetricsCollector,
    calls: HashMap<String, LlmCall>,
    executions: HashMap<String, AgentExecution>,
}

impl Player<'_> {
    fn play(&mut self, name: &str, given: &[Value]) {
        // What is not given is nothing.
        let at = |index: usize| given.get(index).unwrap_or(&Value::Null);
        match name {
            "advanceMs" => self.clock.advance(milliseconds(at(0)).unwrap_or_default()),
            "startRequest" => {
                self.calls.insert(text(at(0)).to_owned(), self.llm.start_request(target(at(1))));
            }
            "startExecution" => {
                let execution = self.agents.start_execution(text(at(1)));
                self.executions.insert(text(at(0)).to_owned(), execution);
            }
            _ if self.calls.contains_key(text(at(0))) => self.play_call(name, text(at(0)), at),
            _ if self.executions.contains_key(text(at(0))) => self.play_execution(name, text(at(0)), at),
            _ => self.play_llm(name, at),
        }
    }

    fn play_call<'v>(&mut self, name: &str, call: &str, at: impl Fn(usize) -> &'v Value) {
        let mut going = self.calls.remove(call).expect("it was begun");
        match name {
            "firstToken" => going.first_token(),
            "chunk" => going.chunk(at(1).as_bool().unwrap_or(true)),
            "end" => {
                going.end(end(at(1)));
                return;
            }
            "fail" => {
                let interrupted = word(at(3), Interruption::from_name);
                going.fail_with(llm_error(at(1)), end(at(2)), interrupted);
                return;
            }
            "cancel" => return going.cancel(),
            "dispose" => return drop(going),
            _ => panic!("{name} is no event of a call"),
        }
        self.calls.insert(call.to_owned(), going);
    }

    fn play_execution<'v>(&mut self, name: &str, execution: &str, at: impl Fn(usize) -> &'v Value) {
        let going = self.executions.remove(execution).expect("it was begun");
        match name {
            "executionStep" => {
                going.record_step(word_or(at(1), StepType::from_name, StepType::Other), milliseconds(at(2)));
            }
            "executionToolCall" => {
                let status = word_or(at(2), ToolStatus::from_name, ToolStatus::Success);
                let arguments = (!at(4).is_null()).then(|| at(4).to_string());
                going.record_tool_call(text(at(1)), status, milliseconds(at(3)), arguments.as_deref());
            }
            "addUsage" => going.add_usage(
                Spent::default()
                    .input_tokens(count(at(1)).unwrap_or_default())
                    .output_tokens(count(at(2)).unwrap_or_default())
                    .cost_usd(at(3).as_f64().unwrap_or_default()),
            ),
            "endExecution" => {
                return going.end(word_or(at(1), ExecutionStatus::from_name, ExecutionStatus::Success));
            }
            "failExecution" => return going.fail(agent_error(at(1))),
            "disposeExecution" => return drop(going),
            _ => panic!("{name} is no event of an execution"),
        }
        self.executions.insert(execution.to_owned(), going);
    }

    fn play_llm<'v>(&self, name: &str, at: impl Fn(usize) -> &'v Value) {
        let llm = &self.llm;
        match name {
            "recordRequest" => {
                llm.record_request(&request(at(0)));
            }
            "recordStreamingChunk" => {
                llm.record_streaming_chunk(target(at(0)), count(at(1)).unwrap_or(1));
            }
            "recordError" => llm.record_error(target(at(0)), llm_error(at(1))),
            "recordRetry" => llm.record_retry(target(at(0)), llm_error(at(1))),
            "recordAttempt" => llm.record_attempt(target(at(0)), milliseconds(at(1)).unwrap_or_default()),
            "recordFallback" => llm.record_fallback(text(at(0)), text(at(1)), outcome(at(2))),
            "setRateLimit" => {
                let resource = word_or(at(1), RateLimitResource::from_name, RateLimitResource::Requests);
                llm.set_rate_limit(
                    target(at(0)),
                    resource,
                    at(2)["limit"].as_f64(),
                    at(2)["remaining"].as_f64(),
                    time(&at(2)["resetAt"]),
                );
            }
            "recordCacheLookup" => {
                let result = word_or(at(1), CacheResult::from_name, CacheResult::Miss);
                llm.record_cache_lookup(text(at(0)), result);
            }
            "recordGuardrail" => {
                let stage = word_or(at(1), GuardrailStage::from_name, GuardrailStage::Other);
                let result = word_or(at(2), GuardrailResult::from_name, GuardrailResult::Error);
                llm.record_guardrail(text(at(0)), stage, result, milliseconds(at(3)));
            }
            "setBudget" => {
                let (limit, remaining) = (at(1)["limitUsd"].as_f64(), at(1)["remainingUsd"].as_f64());
                llm.set_budget(text(at(0)), limit, remaining, time(&at(1)["resetAt"]));
            }
            "recordMedia" => {
                let unit = word_or(at(1), MediaUnit::from_name, MediaUnit::Images);
                llm.record_media(target(at(0)), unit, at(2).as_f64().unwrap_or(f64::NAN));
            }
            "registerModel" => llm.register_model(target(at(0))),
            "setModelInfo" => llm.set_model_info(target(at(0)), text(at(1))),
            _ => self.play_agents(name, at),
        }
    }

    fn play_agents<'v>(&self, name: &str, at: impl Fn(usize) -> &'v Value) {
        let agents = &self.agents;
        match name {
            "recordExecutionStart" => agents.record_execution_start(text(at(0))),
            "recordExecutionEnd" => agents.record_execution_end(&report(at(0))),
            "recordStep" => {
                let step = word_or(at(1), StepType::from_name, StepType::Other);
                agents.record_step(text(at(0)), step, milliseconds(at(2)));
            }
            "recordToolCall" => {
                let status = word_or(at(2), ToolStatus::from_name, ToolStatus::Success);
                agents.record_tool_call(text(at(0)), text(at(1)), status, milliseconds(at(3)));
            }
            "recordHandoff" => agents.record_handoff(text(at(0)), text(at(1)), outcome(at(2))),
            "recordMemoryOperation" => {
                let operation = word_or(at(1), MemoryOperation::from_name, MemoryOperation::Read);
                agents.record_memory_operation(text(at(0)), operation, outcome(at(2)));
            }
            "recordAgentError" => agents.record_error(text(at(0)), agent_error(at(1))),
            "setActiveAgents" => agents.set_active_agents(text(at(0)), count(at(1)).unwrap_or_default()),
            _ => panic!("{name} is no event"),
        }
    }
}

fn outcome(value: &Value) -> prometheus_metrics::collectors::Outcome {
    use prometheus_metrics::collectors::Outcome;
    word_or(value, Outcome::from_name, Outcome::Success)
}

/// The events one by one; those that are repeated have their number in place of `#`.
fn events_of(script: &Value) -> Result<Vec<Vec<Value>>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for event in script["events"].as_array().ok_or("a list of events")? {
        match event.as_array() {
            Some(once) => all.push(once.clone()),
            None => {
                for number in 0..count(&event["times"]).ok_or("a number of times")? {
                    let numbered = event["event"].to_string().replace('#', &number.to_string());
                    all.push(serde_json::from_str(&numbered)?);
                }
            }
        }
    }
    Ok(all)
}

/// FNV-1a with 64 bits, as the test in TypeScript computes it.
fn fnv1a(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Leaves a whole exposition in `target/events`, where TypeScript's test leaves its own.
fn keep_whole(name: &str, shown: &str) -> std::io::Result<PathBuf> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../target/events"].iter().collect();
    std::fs::create_dir_all(&folder)?;
    let written = folder.join(format!("rust-{name}"));
    std::fs::write(&written, shown)?;
    Ok(written)
}

#[test]
fn a_script_of_events_leaves_the_expositions_that_it_leaves_in_typescript() -> Outcome {
    let script: Value = serde_json::from_str(&read("events.json")?)?;
    let clock = MockClock::at(Duration::from_millis(count(&script["nowMs"]).ok_or("a moment")?));
    let registry = Registry::with_clock(clock.clock());
    let llm = LlmOptions::default()
        .prices(prices(&script)?)
        .tokens_per_request(true)
        .queue_duration(true)
        .inter_chunk(true)
        .attempt_duration(true)
        .stall(milliseconds(&script["stallMs"]))
        .objectives(
            LlmObjectives::default()
                .time_to_first_token(milliseconds(&script["objectives"]["timeToFirstTokenMs"]))
                .time_per_output_token(milliseconds(&script["objectives"]["timePerOutputTokenMs"]))
                .duration(milliseconds(&script["objectives"]["durationMs"])),
        );
    let tools = script["tools"].as_array().into_iter().flatten();
    let agents = AgentOptions::default().tools(tools.map(|tool| text(tool).to_owned()).collect());
    let mut player = Player {
        clock: &clock,
        llm: LlmMetricsCollector::new(&registry, llm)?,
        agents: AgentMetricsCollector::new(&registry, agents)?,
        calls: HashMap::new(),
        executions: HashMap::new(),
    };
    for event in events_of(&script)? {
        player.play(text(&event[0]), &event[1..]);
    }
    let wholes: Value = serde_json::from_str(&read("events.wholes.json")?)?;
    for (name, format) in [("events.prom", Format::PrometheusText), ("events.om", Format::OpenMetrics)] {
        let (shown, expected) = (registry.encode(format), read(name)?);
        let present: Vec<&str> = shown.lines().filter(|line| !line.ends_with(" 0")).collect();
        let differs = present.iter().zip(expected.lines()).find(|(shown, expected)| **shown != *expected);
        assert_eq!(differs, None, "{name}: what is shown, and what TypeScript shows");
        assert_eq!(present.len(), expected.lines().count(), "{name}");
        let written = keep_whole(name, &shown)?;
        let whole = (count(&wholes[name]["bytes"]), text(&wholes[name]["fnv1a"]).to_owned());
        assert_eq!(
            (u64::try_from(shown.len()).ok(), fnv1a(&shown)),
            whole,
            "{name}: only lines that are 0 differ; compare {} with TypeScript's beside it",
            written.display()
        );
    }
    Ok(())
}
