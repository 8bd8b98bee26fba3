//! Rust traits for the WIT interfaces that this host implements itself; see `wit/`.

use std::sync::Arc;

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "vod-uploader:devhost/spin",
        imports: { default: async | store | trappable },
        with: { "spin:key-value/key-value.store": crate::bindings::OpenStore },
    });
}

pub(crate) use self::generated::spin;

/// The resource behind a guest's `store`.
#[expect(unreachable_pub, reason = "the generated bindings export it again, inside this crate")]
pub struct OpenStore {
    pub(crate) label: Arc<str>,
}
