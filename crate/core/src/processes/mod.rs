//! Many processes of one service, whose counts are added up. Each has a file with its families and their values, which it
//! locks while it lives. Each reads the files of the others, and adds the files of ended ones to one file of totals.
//! The folder of these files is a run. Must not know formats or transports.

#[cfg(target_os = "linux")]
mod crash;
#[cfg(all(test, target_os = "linux"))]
mod damage;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod fold;
#[cfg(target_os = "linux")]
mod folder;
mod join;
#[cfg(target_os = "linux")]
mod layout;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod member;
#[cfg(all(test, target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod reader;
#[cfg(target_os = "linux")]
mod record;
#[cfg(target_os = "linux")]
mod refusal;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod slab_copies;
#[cfg(target_os = "linux")]
mod totals;
#[cfg(target_os = "linux")]
mod turn;

pub use join::{
    JoinOptions, announce_ports, join, join_run_of, live_processes, look_after, port_use, run_folder,
    take_warnings, warn, was_read,
};
