import * as FilePond from "filepond";

const seen = { mediaId: undefined, errors: 0 };
let pond;

/** Uploads the chosen file. */
window.upload = async (url, options) => {
  const [file] = document.querySelector("input").files;
  const onload = (request) => {
    seen.mediaId = request.getResponseHeader("Media-Id") ?? seen.mediaId;
  };
  pond = FilePond.create({
    ...options,
    server: { url, patch: { url: "?patch=", onload } },
    instantUpload: false,
    onprocessfileerror: () => (seen.errors += 1),
  });
  document.body.append(pond.element);
  await pond.addFile(file);
  return window.uploadAgain();
};

/** What the button for another attempt does. */
window.uploadAgain = async () => {
  const { serverId } = await pond.processFile().catch(({ error, body }) => {
    throw new Error(`${error?.type} ${error?.code} ${error?.body ?? body}`);
  });
  return { ...seen, serverId };
};
