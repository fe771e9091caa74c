//! Link settings of the addon.

fn main() {
    napi_build::setup();
    // Node.js unloads an addon when the last worker that loaded it ends, and its statics go with it
    // while other threads still read them. `nodelete` keeps the mapping for the life of the process.
    let target_os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(target_os.as_str(), "linux" | "freebsd" | "android") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
