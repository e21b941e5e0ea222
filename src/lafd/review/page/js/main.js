// The page: which picture is shown, and what buttons and keys do.

import * as api from './api.js';
import { Editor } from './editor.js';
import { offerFilters, sequence as filtered } from './filters.js';
import { Headway } from './headway.js';
import { connectKeys, listKeys } from './keys.js';
import { PictureList } from './list.js';
import { Pictures } from './pictures.js';
import { Pointer } from './pointer.js';
import { Saver } from './saver.js';
import { Stage } from './stage.js';
import { connectTheme } from './theme.js';
import { View } from './view.js';

const AHEAD = 4; // pictures that are fetched before they are wanted
const LISTED_WARNINGS = 500;
const $ = (id) => document.getElementById(id);

connectTheme($('theme'));
listKeys($('key-list'));

const table = await api.review().catch((error) => tell(error.message)); // columns: names, statuses, faces, ...
const pictures = new Pictures();
const view = new View($('area'), $('frame'), () => sharpen());
const editor = new Editor(view, table.category, changed, () => stage.show());
const stage = new Stage(editor, table.category);
const pointer = new Pointer($('area'), view, editor);
const list = new PictureList($('list'), table, (to) => {
  go(to);
  $('area').scrollIntoView({ block: 'nearest' }); // on a phone the list is below the picture
});
const headway = new Headway($('headway'), $('headway-text'), table);
const saver = new Saver(table.id, table.names, { show: showSaving, saved, conflict });
let order = [];
let place = 0;
let opening = 0; // counts, so that what arrives late is left alone

/* going from picture to picture */

async function go(to) {
  const ticket = ++opening;
  delete document.body.dataset.ready;
  editor.open(null);
  stage.setImage(null);
  place = Math.min(Math.max(0, to), order.length - 1);
  const index = order[place];
  $('empty').hidden = index !== undefined;
  $('place').textContent = index === undefined ? '' : `${place + 1} of ${order.length}`;
  list.show(place);
  if (index === undefined) {
    $('empty').textContent = 'No picture is of this kind.';
    $('stage-title').textContent = 'Picture';
    return;
  }
  history.replaceState(null, '', `#${index}/${$('show').value}/${$('status').value}`);
  pictures.expect([index, ...order.slice(place + 1, place + 1 + AHEAD), ...order.slice(Math.max(0, place - 1), place)]);
  try {
    const picture = await pictures.state(index);
    if (ticket !== opening) return;
    view.open(picture.width, picture.height);
    editor.open(picture);
    const image = await pictures.image(index).catch((error) => error);
    if (ticket === opening) stage.setImage(image);
  } catch (error) {
    if (ticket === opening) tell(error.message);
  }
  document.body.dataset.ready = index;
}

/** Loads all pixels of a huge picture when it is zoomed. */
async function sharpen() {
  const { picture } = editor ?? {};
  if (!picture || picture.sharp || view.zoom < 1.5) return;
  picture.sharp = true;
  const ticket = opening;
  const image = await pictures.sharp(picture).catch(() => null);
  if (image && ticket === opening) stage.setImage(image);
}

/** Goes through the pictures that the filters leave, from `index` if it is among them. */
function filter(index) {
  order = filtered(table, $('show').value, $('status').value);
  list.set(order);
  $('picture-count').textContent = order.length.toLocaleString('en');
  go(Math.max(0, order.indexOf(index)));
}

function decide(status) {
  if (!editor.picture) return;
  editor.decide(status);
  headway.mark();
  headway.show();
  if (place + 1 < order.length) go(place + 1);
  else tell(`That was the last picture here. ${todo().length} are still to do.`, 'good');
}

function todo() {
  return filtered(table, 'all', 'todo');
}

function undecided() {
  const waiting = new Set(todo());
  const after = [...order.keys()].filter((i) => waiting.has(order[i]));
  const next = after.find((i) => i > place) ?? after[0];
  if (next === undefined) tell('Every picture here is decided.', 'good');
  else go(next);
}

/* changes, and the way to the program */

function changed(picture) {
  const { index, name, status, boxes, version } = picture;
  picture.version += 1;
  note(picture);
  saver.put(index, name, { status, boxes }, version);
}

/** Brings the list and the headway up to date with a picture. */
function note({ index, status, boxes, differences }) {
  table.statuses[index] = status;
  table.faces[index] = boxes.filter(({ ignore }) => !ignore).length;
  if (table.differences) table.differences[index] = differences;
  list.draw();
  headway.show();
}

function saved(answer) {
  const { index, differences, version } = answer;
  if (!saver.queue.some((entry) => entry.index === index)) note(answer);
  if (editor.picture?.index === index && editor.picture.version === version) {
    editor.picture.differences = differences;
    stage.compare(editor.picture);
  }
}

async function conflict(index, error) {
  const picture = await api.picture(index);
  pictures.set(picture);
  note(picture);
  if (order[place] === index) go(place);
  tell(error.message);
}

/** Undoes or redoes the last change, of whichever picture, and shows it. */
async function step(call) {
  editor.settle();
  await saver.flush();
  if (saver.queue.length) return; // the program does not answer, which is shown
  try {
    const picture = await call();
    pictures.set(picture);
    note(picture);
    const at = order.indexOf(picture.index);
    if (at < 0) {
      order.splice(place, 0, picture.index);
      list.set(order);
    }
    go(at < 0 ? place : at);
  } catch (error) {
    tell(error.message, 'good');
  }
}

async function write() {
  editor.settle();
  await saver.flush();
  try {
    const { path, pictures: count, boxes, left_out: leftOut } = await api.exportAll();
    tell([`${count} pictures with ${boxes} boxes are in ${path}.`, ...leftOut].join(' '), 'good');
  } catch (error) {
    tell(error.message);
  }
}

/* what is said */

function tell(text, kind = 'bad') {
  $('notice').dataset.kind = kind;
  $('notice').querySelector('p').textContent = text;
  $('notice').hidden = false;
}

function showSaving(state, text) {
  $('saved').dataset.state = state;
  $('saved').textContent = text;
}

function warn() {
  const { warnings } = table;
  $('warnings').hidden = !warnings.length;
  $('warning-count').textContent = warnings.length.toLocaleString('en');
  const shown = warnings.slice(0, LISTED_WARNINGS);
  if (shown.length < warnings.length) shown.push(`and ${warnings.length - shown.length} more`);
  $('warning-list').append(...shown.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

/* buttons and keys */

const actions = {
  accept: () => decide('accepted'),
  reject: () => decide('rejected'),
  next: () => go(place + 1),
  back: () => go(place - 1),
  undecided,
  undo: () => step(api.undo),
  redo: () => step(api.redo),
  add: () => editor.picture && editor.add(),
  draw: () => pointer.arm(!pointer.armed),
  delete: () => editor.delete(),
  ignore: () => editor.ignore(),
  nextBox: () => editor.step(1),
  previousBox: () => editor.step(-1),
  leave: () => {
    pointer.arm(false);
    editor.choose(-1);
    $('notice').hidden = true;
  },
  nudge: (...how) => editor.picture && editor.nudge(...how),
  zoomIn: () => view.zoomBy(1.4),
  zoomOut: () => view.zoomBy(1 / 1.4),
  fit: () => view.fit(),
  hide: () => {
    stage.boxes = !stage.boxes;
    stage.show();
  },
  toggleOther: () => {
    stage.other = !stage.other;
    $('toggle-other').ariaPressed = String(stage.other);
    stage.show();
  },
  takeOther: () => editor.takeOther(),
  export: write,
  help: () => $('keys').showModal(),
};
const buttons = {
  back: 'back', next: 'next', undo: 'undo', redo: 'redo', draw: 'add', ignore: 'ignore', delete: 'delete',
  reject: 'reject', accept: 'accept', export: 'export', help: 'help', 'toggle-other': 'toggleOther', 'take-other': 'takeOther',
};
for (const [id, action] of Object.entries(buttons)) {
  $(id).addEventListener('click', (event) => {
    actions[action]();
    if (event.detail) $('area').focus({ preventScroll: true }); // after a click of the mouse, keys are for the picture
  });
}
connectKeys(actions);
for (const type of ['keydown', 'keyup']) {
  addEventListener(type, (event) => {
    if (event.key !== ' ' || event.target.closest('button, select, summary')) return;
    event.preventDefault();
    pointer.panning = type === 'keydown';
  });
}
for (const id of ['show', 'status']) {
  $(id).addEventListener('change', () => {
    filter(id === 'status' ? editor.picture?.index : undefined);
    $('area').focus({ preventScroll: true });
  });
}
$('dismiss').addEventListener('click', () => ($('notice').hidden = true));
$('close-keys').addEventListener('click', () => $('keys').close());
$('keys').addEventListener('click', (event) => event.target === $('keys') && $('keys').close());

/* start */

const [, index, show, status] = location.hash.match(/^#(\d+)\/(\w+)\/(\w+)$/) ?? [];
offerFilters($('show'), $('status'), table);
if (show) $('show').value = show;
if (status) $('status').value = status;
$('compare').hidden = !table.differences;
warn();
await saver.flush(); // what an earlier page could not send
filter(index === undefined ? todo()[0] : Number(index));
