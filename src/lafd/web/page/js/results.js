// Results as JSON, CSV and ZIP, in the same form as `lafd detect` writes them.

import { Zip } from './zip.js';

const COLUMNS = ['path', 'frame', 'width', 'height', 'x1', 'y1', 'x2', 'y2', 'score', 'error'];

/** The faces of a picture that reach the threshold. */
export function facesAbove(picture, threshold) {
  return picture.result ? picture.result.faces.filter((face) => face.score >= threshold) : [];
}

export function toJson(pictures, threshold) {
  const records = pictures.filter(isFinished).map((picture) => {
    if (picture.error) return { path: picture.path, error: picture.error };
    const { width, height } = picture.result;
    const faces = facesAbove(picture, threshold).map(({ box, score }) => {
      return { box: box.map((side) => rounded(side, 2)), score: rounded(score, 4) };
    });
    return { path: picture.path, width, height, faces };
  });
  return `[\n${records.map((record) => JSON.stringify(record)).join(',\n')}\n]\n`;
}

export function toCsv(pictures, threshold) {
  const rows = [COLUMNS];
  for (const picture of pictures.filter(isFinished)) {
    const size = picture.result ? [picture.result.width, picture.result.height] : ['', ''];
    const faces = facesAbove(picture, threshold);
    for (const { box, score } of faces) {
      const sides = box.map((side) => rounded(side, 2));
      rows.push([picture.path, '', ...size, ...sides, rounded(score, 4), '']);
    }
    if (!faces.length) rows.push([picture.path, '', ...size, '', '', '', '', '', picture.error ?? '']);
  }
  return rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** Both of the above and a PNG of every face; `report` gets the pictures that are done, and may throw to stop. */
export async function toZip(pictures, threshold, detector, report) {
  const zip = new Zip();
  await zip.add('results.json', toJson(pictures, threshold));
  await zip.add('results.csv', toCsv(pictures, threshold));
  const taken = new Set();
  for (const [i, picture] of pictures.entries()) {
    report(i);
    const boxes = facesAbove(picture, threshold).map((face) => face.box);
    if (!boxes.length) continue;
    const stem = freeName(`faces/${inside(picture.path)}`, taken);
    let cuts;
    try {
      cuts = await detector.crops(picture.file, boxes);
    } catch {
      continue; // the file went away since; its boxes are in the results all the same
    }
    for (const [k, cut] of cuts.entries()) await zip.add(`${stem}-${k + 1}.png`, cut);
  }
  return zip.blob();
}

/** Saves a text or a Blob as a file of the user's. */
export function save(content, name) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A path's last part without its ending. */
export function stemOf(path) {
  return path.split('/').pop().replace(/\.[^.]+$/, '') || 'picture';
}

function isFinished(picture) {
  return Boolean(picture.result || picture.error);
}

function rounded(value, digits) {
  return Number(value.toFixed(digits));
}

function quoted(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A path that stays inside the archive and that every system can write, without its ending. */
function inside(path) {
  const parts = path.split('/').filter((part) => part && part !== '.' && part !== '..');
  parts.push(stemOf(parts.pop() ?? 'picture'));
  return parts.map((part) => part.replace(/[<>:"\\|?*\u0000-\u001f]/g, '_')).join('/');
}

function freeName(name, taken) {
  let free = name;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${name} (${n})`;
  taken.add(free.toLowerCase());
  return free;
}
