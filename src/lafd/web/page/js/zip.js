// A ZIP archive without compression: pictures are compressed already.

const encoder = new TextEncoder();
const table = new Uint32Array(256).map((_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export class Zip {
  constructor(date = new Date()) {
    this.parts = [];
    this.directory = [];
    this.size = 0;
    this.time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
    this.date = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  }

  /** Adds a file. `content` is a string or a Blob; `name` uses slashes. */
  async add(name, content) {
    const blob = new Blob([content]);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const path = encoder.encode(name);
    // version 2.0, names in UTF-8 (bit 11), stored
    const facts = fields([2, 20], [2, 0x0800], [2, 0], [2, this.time], [2, this.date]);
    const sizes = fields([4, checksum(bytes)], [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0]);
    const local = [fields([4, 0x04034b50]), facts, sizes, path];
    const offset = this.size;
    this.parts.push(...local, blob);
    this.size += length(local) + bytes.length;
    const rest = fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    this.directory.push(fields([4, 0x02014b50], [2, 20]), facts, sizes, rest, path);
    this.count = (this.count ?? 0) + 1;
    if (this.size > 0xf0000000 || this.count > 65000) throw new Error('The results are too large for one ZIP file.');
  }

  /** The archive. */
  blob() {
    const count = this.count ?? 0;
    const place = [[4, length(this.directory)], [4, this.size]];
    const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], ...place, [2, 0]);
    return new Blob([...this.parts, ...this.directory, end], { type: 'application/zip' });
  }
}

/** Little-endian numbers, each given as [bytes, value]. */
function fields(...pairs) {
  const bytes = [];
  for (const [width, value] of pairs) {
    for (let k = 0; k < width; k++) bytes.push((value >>> (8 * k)) & 0xff);
  }
  return new Uint8Array(bytes);
}

function length(parts) {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** CRC-32. */
function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = table[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
