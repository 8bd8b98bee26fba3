//! `uploader.wasm`: the interfaces of `vod:uploader` around the driver. Everything it does is in
//! the driver and in the engine; here, values are converted.

mod convert;
mod uploader;
mod url_uploads;
mod webhooks;

/// What `wit/` is generated as.
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
