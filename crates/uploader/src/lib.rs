//! `uploader.wasm`: exports the interfaces of `vod:uploader`.
//!
//! This crate only converts values; everything else is in the host adapter and in the engine.

mod convert;
mod uploader;
mod url_uploads;
mod webhooks;

/// The bindings generated from `wit/`.
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated: exports have names and memory layouts of the component model"
)]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        world: "vod:uploader/component",
        path: "../../wit",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
    });
    use super::Component;
    export!(Component);
}

struct Component;
