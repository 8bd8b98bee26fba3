//! Rust traits for the WIT interfaces this host implements itself; see `wit/`.

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "vod-uploader:devhost/spin",
        imports: { default: async | store | trappable },
        with: { "spin:key-value/key-value.store": crate::key_value::OpenStore },
    });
}

pub(crate) use self::generated::spin;
