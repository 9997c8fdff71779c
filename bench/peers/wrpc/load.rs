//! A closed loop: so many callers, each with one call at a time, and what the calls of a while took.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use tokio::task::JoinSet;

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Right,
    /// None came: the caller gave the call up.
    #[allow(dead_code, reason = "over TCP, a connection that breaks is an error")]
    Lost,
}

/// One of those that are in flight.
pub trait Caller: Send + 'static {
    /// Calls once, and fails unless the answer is what was sent.
    fn call(&mut self, number: u64) -> impl Future<Output = anyhow::Result<Answer>> + Send;
}

pub struct Times {
    pub in_flight: usize,
    warm_up: Duration,
    measured: Duration,
}

/// Of one caller.
#[derive(Default)]
struct Measured {
    latencies: Vec<Duration>,
    /// Those of the warm-up and of both edges, too.
    total: u64,
    lost: u64,
}

/// The kernel tells times in this unit, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

impl Times {
    pub fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let [in_flight, warm_up_ms, measure_ms] = arguments else {
            bail!("a load needs IN_FLIGHT WARM_UP_MS MEASURE_MS");
        };
        Ok(Self {
            in_flight: in_flight.parse()?,
            warm_up: Duration::from_millis(warm_up_ms.parse()?),
            measured: Duration::from_millis(measure_ms.parse()?),
        })
    }
}

/// Calls until the time is over, and prints the figures as one line of JSON.
pub async fn run<C: Caller>(times: &Times, callers: Vec<C>) -> anyhow::Result<()> {
    let begin = Instant::now() + times.warm_up;
    let end = begin + times.measured;
    let mut tasks = JoinSet::new();
    for (slot, caller) in callers.into_iter().enumerate() {
        tasks.spawn(keep_calling(caller, slot as u64, begin, end));
    }
    tokio::time::sleep_until(begin.into()).await;
    let cpu_before = cpu_seconds()?;
    tokio::time::sleep_until(end.into()).await;
    let cpu = cpu_seconds()? - cpu_before;
    let mut latencies = Vec::new();
    let mut total = 0;
    let mut lost = 0;
    while let Some(measured) = tasks.join_next().await {
        let measured = measured??;
        latencies.extend(measured.latencies);
        total += measured.total;
        lost += measured.lost;
    }
    latencies.sort_unstable();
    let quantile = |q: f64| -> anyhow::Result<f64> {
        let rank = ((q * latencies.len() as f64).ceil() as usize).max(1);
        let latency = latencies
            .get(rank - 1)
            .context("no call was answered in time")?;
        Ok(latency.as_secs_f64() * 1000.0)
    };
    println!(
        "{}",
        json!({
            "requests": latencies.len(),
            "totalRequests": total,
            "lost": lost,
            "requestsPerSecond": latencies.len() as f64 / times.measured.as_secs_f64(),
            "p50Ms": quantile(0.5)?,
            "p99Ms": quantile(0.99)?,
            "generatorLoad": cpu / times.measured.as_secs_f64(),
        })
    );
    Ok(())
}

/// A call counts when it has both begun and ended while it is measured.
async fn keep_calling(
    mut caller: impl Caller,
    slot: u64,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(measured);
        }
        let answer = caller.call(slot * 1_000_000 + measured.total).await?;
        measured.total += 1;
        if answer == Answer::Lost {
            measured.lost += 1;
            continue;
        }
        let ended = Instant::now();
        if began >= begin && ended < end {
            measured.latencies.push(ended - began);
        }
    }
}

/// Of this process up to now: its own share of the machine, from proc(5).
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat
        .rsplit_once(')')
        .context("no name in /proc/self/stat")?
        .1;
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>)
        .sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}
