// The keyboard: one table of what each key does, which the help shows too.

export const KEYS = [
  [['a', 'Enter'], 'accept', 'accept the picture and go on'],
  [['r'], 'reject', 'reject the picture and go on'],
  [['ArrowRight', 'j', 'PageDown'], 'next', 'next picture'],
  [['ArrowLeft', 'k', 'PageUp'], 'back', 'picture before'],
  [['u'], 'undecided', 'next picture that is to do'],
  [['z', 'Ctrl+z'], 'undo', 'undo'],
  [['y', 'Ctrl+Shift+z'], 'redo', 'redo'],
  [['n'], 'add', 'new box in the middle'],
  [['d'], 'draw', 'the next drag draws, also over a box'],
  [['x', 'Delete', 'Backspace'], 'delete', 'delete the box'],
  [['i'], 'ignore', 'face or ignore region'],
  [['f'], 'nextBox', 'choose the next box'],
  [['Shift+f'], 'previousBox', 'choose the box before'],
  [['Escape'], 'leave', 'choose no box'],
  [['Shift+Arrows'], 'nudge', 'move the box'],
  [['Alt+Arrows'], 'nudge', 'move its right or lower edge'],
  [['Alt+Shift+Arrows'], 'nudge', 'move its left or upper edge'],
  [['+', '='], 'zoomIn', 'larger'],
  [['-'], 'zoomOut', 'smaller'],
  [['0'], 'fit', 'the whole picture'],
  [['b'], 'hide', 'hide or show the boxes'],
  [['c'], 'toggleOther', 'show or hide the boxes of the other file'],
  [['t'], 'takeOther', 'take the boxes of the other file'],
  [['Ctrl+s'], 'export', 'write the annotations'],
  [['?', 'h'], 'help', 'this list'],
];
const ACTIONS = new Map(KEYS.flatMap(([keys, action]) => keys.map((key) => [key, action])));
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NAMES = { ArrowRight: '→', ArrowLeft: '←', Escape: 'Esc', Delete: 'Del', Backspace: '⌫', PageDown: 'Page↓', PageUp: 'Page↑' };

/** Calls actions by their names; `nudge` gets (sides, dx, dy, fast). */
export function connectKeys(actions) {
  addEventListener('keydown', (event) => {
    if (document.querySelector('dialog[open]') || event.target.closest('select, input')) return;
    const arrow = ARROWS[event.key];
    if (arrow && (event.shiftKey || event.altKey)) {
      event.preventDefault();
      const [across, down] = event.shiftKey ? ['w', 'n'] : ['e', 's'];
      const sides = event.altKey ? (arrow[0] ? across : down) : '';
      actions.nudge(sides, ...arrow, event.repeat);
      return;
    }
    if (event.key === 'Enter' && event.target.closest('button, summary, a')) return;
    const action = ACTIONS.get(combination(event));
    if (!action || event.altKey) return;
    event.preventDefault();
    if (!event.repeat || ['next', 'back', 'undo', 'redo', 'zoomIn', 'zoomOut'].includes(action)) actions[action]();
  });
}

function combination({ key, ctrlKey, metaKey, shiftKey }) {
  const letter = key.length === 1;
  const shifted = shiftKey && (!letter || key.toLowerCase() !== key.toUpperCase());
  return `${ctrlKey || metaKey ? 'Ctrl+' : ''}${shifted ? 'Shift+' : ''}${letter ? key.toLowerCase() : key}`;
}

export function listKeys(element) {
  for (const [keys, , text] of KEYS) {
    const term = document.createElement('dt');
    for (const key of keys) {
      const made = document.createElement('kbd');
      made.textContent = NAMES[key] ?? key.replace(/(^|\+)[a-z]$/, (letter) => letter.toUpperCase());
      term.append(made, ' ');
    }
    const what = document.createElement('dd');
    what.textContent = text;
    element.append(term, what);
  }
}
