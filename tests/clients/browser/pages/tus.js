import * as tus from "tus-js-client";

/** Uploads the chosen file, resuming the upload of an earlier visit of the page. */
window.upload = async (options) => {
  const [file] = document.querySelector("input").files;
  const seen = { mediaId: undefined, resumedAt: undefined };
  let resolve;
  let reject;
  const ended = new Promise((onSuccess, onError) => {
    resolve = onSuccess;
    reject = onError;
  });
  const upload = new tus.Upload(file, {
    ...options,
    metadata: { filename: file.name, filetype: file.type },
    onAfterResponse: (request, response) => {
      seen.mediaId = response.getHeader("Media-Id") ?? seen.mediaId;
      if (request.getMethod() === "HEAD") {
        seen.resumedAt ??= Number(response.getHeader("Upload-Offset"));
      }
    },
    onSuccess: resolve,
    onError: reject,
  });
  const [previous] = await upload.findPreviousUploads();
  if (previous) upload.resumeFromPreviousUpload(previous);
  upload.start();
  await ended;
  return seen;
};
