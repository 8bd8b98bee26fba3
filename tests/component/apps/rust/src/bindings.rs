spin_sdk::wit_bindgen::generate!({
    inline: "
        package vod:uploader-test-app;

        world app {
            include vod:uploader/uploads@0.1.0;
            include vod:uploader/webhook-receiver@0.1.0;
            include vod:uploader/url-uploader@0.1.0;
        }
    ",
    path: "../../../../wit",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    additional_derives: [serde::Deserialize, serde::Serialize],
    generate_all,
});
