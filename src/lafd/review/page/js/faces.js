// The boxes beside the picture, cut out: click to choose.

import { describe } from './boxes.js';

const SIDE = 88; // pixels of a cut-out, for sharp screens
const MARGIN = 0.25; // of a box's larger side, around it

export function listFaces(element, editor, image, category) {
  const { boxes, chosen, picture } = editor;
  element.replaceChildren(...boxes.map((box, i) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'face';
    button.classList.toggle('ignore', box.ignore);
    button.classList.toggle('doubtful', box.doubtful);
    button.ariaPressed = String(i === chosen);
    const [x1, y1, x2, y2] = box.box;
    const size = `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)}`;
    const text = describe(box, category);
    button.append(cutOut(image, box.box, picture), span('unseen', `Box ${i + 1}: `), span('size', size), span('kind', text));
    button.addEventListener('click', () => editor.choose(i === editor.chosen ? -1 : i));
    item.append(button);
    return item;
  }));
}

function span(className, text) {
  return Object.assign(document.createElement('span'), { className, textContent: text });
}

function cutOut(image, [x1, y1, x2, y2], { width }) {
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  if (!image) return canvas;
  const scale = image.naturalWidth / width;
  const side = Math.max(x2 - x1, y2 - y1) * (1 + 2 * MARGIN) * scale;
  const left = ((x1 + x2) / 2) * scale - side / 2;
  const top = ((y1 + y2) / 2) * scale - side / 2;
  canvas.getContext('2d').drawImage(image, left, top, side, side, 0, 0, SIDE, SIDE);
  return canvas;
}
