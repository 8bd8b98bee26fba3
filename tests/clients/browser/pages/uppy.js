import Uppy from "@uppy/core";
import Tus from "@uppy/tus";

/** Uploads the chosen file, resuming the upload of an earlier visit of the page. */
window.upload = async (options) => {
  const [file] = document.querySelector("input").files;
  const seen = { mediaId: undefined, resumedAt: undefined };
  const uppy = new Uppy().use(Tus, {
    ...options,
    onAfterResponse: (request, response) => {
      seen.mediaId = response.getHeader("Media-Id") ?? seen.mediaId;
      if (request.getMethod() === "HEAD") {
        seen.resumedAt ??= Number(response.getHeader("Upload-Offset"));
      }
    },
  });
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const { failed } = await uppy.upload();
  if (failed.length > 0) throw new Error(failed[0].error);
  return seen;
};
