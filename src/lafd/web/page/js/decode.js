// From a file to an ImageBitmap, or to one clear sentence why not.

const MAX_PIXELS = 200_000_000;

/** What files of each kind begin with; latin-1. */
const KNOWN = [
  ['PNG', /^\x89PNG/],
  ['JPEG', /^\xff\xd8\xff/],
  ['GIF', /^GIF8/],
  ['WebP', /^RIFF.{4}WEBP/s],
  ['BMP', /^BM/],
  ['AVIF', /^.{4}ftypavi[fs]/s],
  ['HEIC', /^.{4}ftyp(hei|hev|mif)/s],
  ['TIFF', /^(II\*\0|MM\0\*)/],
  ['JPEG XL', /^(\xff\x0a|\0\0\0\x0cJXL )/],
  ['SVG', /^\s*<(\?xml|svg|!--)/],
];
const RARELY_READ = ['HEIC', 'TIFF', 'JPEG XL', 'SVG'];

/** Decodes a picture upright and without colour management, as the Python package does. */
export async function decode(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image', colorSpaceConversion: 'none' });
  } catch {
    throw new Error(await reason(file));
  }
  if (bitmap.width * bitmap.height > MAX_PIXELS) {
    const size = `${bitmap.width} × ${bitmap.height}`;
    bitmap.close();
    throw new Error(`Its ${size} pixels are more than this page takes (${MAX_PIXELS / 1e6} megapixels).`);
  }
  return bitmap;
}

async function reason(file) {
  if (file.size === 0) return 'The file is empty.';
  let head;
  try {
    head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  } catch {
    return 'The file cannot be read: it was moved, changed or deleted.';
  }
  const text = String.fromCharCode(...head);
  const kind = KNOWN.find(([, pattern]) => pattern.test(text))?.[0];
  if (!kind) return 'This is not a picture that browsers can read.';
  if (RARELY_READ.includes(kind)) return `This browser does not read ${kind}; convert it to PNG or JPEG.`;
  return `This ${kind} file is damaged or cut off, or too large for this browser.`;
}

/** A small copy of a bitmap as a file, at most `side` pixels long. */
export async function shrunkCopy(bitmap, area, side, type) {
  const scale = Math.min(1, side / Math.max(area.width, area.height));
  const width = Math.max(1, Math.round(area.width * scale));
  const height = Math.max(1, Math.round(area.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, area.x, area.y, area.width, area.height, 0, 0, width, height);
  return canvas.convertToBlob({ type, quality: 0.85 });
}
