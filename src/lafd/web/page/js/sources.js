// Where pictures come from: pickers, drag and drop, the clipboard. All end in `take(files)`,
// files being {file, path}; those that are neither pictures nor videos are left out of folders.

const PICTURE_ENDINGS = /\.(png|jpe?g|jfif|webp|gif|bmp|avif|ico|apng)$/i;
const VIDEO_ENDINGS = /\.(mp4|m4v|webm|mkv|mov|ogv)$/i;

export function isVideo(file) {
  return file.type.startsWith('video/') || VIDEO_ENDINGS.test(file.name);
}

function isPicture(file) {
  return file.type.startsWith('image/') || PICTURE_ENDINGS.test(file.name);
}

/** A hidden file input that a button opens. */
export function connectPicker(input, buttons, take) {
  for (const button of buttons) button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const folder = input.webkitdirectory;
    const found = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
    input.value = ''; // so that the same choice counts again
    take(folder ? onlyMedia(found) : found);
  });
}

/** Dropping files and folders anywhere on the page; `veil` is shown meanwhile. */
export function connectDrop(veil, take) {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  const show = (shown) => veil.toggleAttribute('hidden', !shown);
  addEventListener('dragenter', (event) => {
    if (carriesFiles(event)) show(++depth > 0);
  });
  addEventListener('dragleave', (event) => {
    if (carriesFiles(event)) show((depth = Math.max(0, depth - 1)) > 0);
  });
  addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  addEventListener('drop', async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show((depth = 0) > 0);
    // the list is emptied when this handler first waits, so the entries are taken out before
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...event.dataTransfer.files];
    if (!entries.length) return take(files.map((file) => ({ file, path: file.name })));
    const found = [];
    for (const entry of entries) {
      const listed = await walk(entry);
      found.push(...(entry.isDirectory ? onlyMedia(listed) : listed));
    }
    take(found);
  });
}

/** Pasting a picture. */
export function connectPaste(take) {
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files.map((file) => ({ file, path: file.name })));
  });
}

function onlyMedia(found) {
  const order = new Intl.Collator(undefined, { numeric: true });
  const media = found.filter(({ file }) => isPicture(file) || isVideo(file));
  return media.sort((a, b) => order.compare(a.path, b.path));
}

/** All files of a dropped entry, folders inside folders included. */
async function walk(entry) {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    return file ? [{ file, path }] : [];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives at most 100 entries at a time
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return found;
    for (const child of some) found.push(...(await walk(child)));
  }
}
