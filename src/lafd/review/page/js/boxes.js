// Draws the boxes over the picture.

export function drawBoxes(element, editor, { other, category }) {
  const { picture, boxes, chosen, hovered } = editor;
  const { width, height } = picture;
  const theirs = other ? (picture.other ?? []) : [];
  const marks = [
    ...theirs.map((box) => mark(box, width, height, 'box other')),
    ...boxes.map((box, i) => {
      const made = mark(box, width, height, 'box');
      made.classList.toggle('ignore', box.ignore);
      made.classList.toggle('doubtful', box.doubtful);
      made.classList.toggle('hovered', i === hovered);
      made.append(label(box, category));
      if (i === chosen) {
        made.classList.add('chosen');
        made.append(...['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'].map(handle));
      }
      return made;
    }),
  ];
  element.replaceChildren(...marks);
}

function mark({ box: [x1, y1, x2, y2], tilt }, width, height, className) {
  const made = document.createElement('div');
  made.className = className;
  Object.assign(made.style, {
    left: `${(x1 / width) * 100}%`,
    top: `${(y1 / height) * 100}%`,
    width: `${((x2 - x1) / width) * 100}%`,
    height: `${((y2 - y1) / height) * 100}%`,
    rotate: tilt ? `${tilt}deg` : '',
  });
  made.classList.toggle('low', y1 / height < 0.04);
  return made;
}

function label(box, category) {
  const text = document.createElement('span');
  text.textContent = describe(box, category);
  return text;
}

/** What is to be said of a box: its kind where it is not the usual one, and its score. */
export function describe({ ignore, category, score, doubtful }, usual) {
  const kind = ignore ? 'ignore' : category === usual ? '' : category;
  const sure = score === null ? '' : `${Math.round(score * 100)}%${doubtful ? ' ?' : ''}`;
  return [kind, sure].filter(Boolean).join(' ');
}

function handle(side) {
  const made = document.createElement('i');
  made.dataset.side = side;
  return made;
}
