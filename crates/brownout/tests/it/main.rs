//! The program as people run it: real processes, real sockets, real output.

mod admin;
mod adverse;
mod agree;
mod begin;
mod behind;
mod bounds;
#[cfg(target_os = "linux")]
mod browser;
mod bursts;
mod check;
mod cohorts;
mod compare;
mod day;
mod docs;
mod effects;
mod ended;
mod faults;
mod honest;
mod http;
mod http2;
mod limits;
mod links;
mod live;
#[cfg(target_os = "linux")]
mod live_page;
mod pages;
mod practice;
mod program;
mod rehearse;
mod replicas;
mod requests;
mod results;
mod runner;
mod runner_budget;
#[cfg(unix)]
mod runner_processes;
#[cfg(unix)]
mod runner_streams;
#[cfg(target_os = "linux")]
mod runner_terminal;
mod scenario;
mod storm;
#[cfg(all(unix, feature = "tui"))]
mod terminal;
mod watch;
