// The page: joins the sources, the queue, the detector and what is seen.

import { Detector } from './detector.js';
import { devices } from './engine.js';
import { Faces } from './faces.js';
import { PictureList, faceCount } from './list.js';
import { Live } from './live.js';
import { Queue } from './queue.js';
import { facesAbove, save, toCsv, toJson, toZip } from './results.js';
import { Settings } from './settings.js';
import { connectDrop, connectPaste, connectPicker, isVideo } from './sources.js';
import { Stage } from './stage.js';
import { connectTheme } from './theme.js';

const $ = (id) => document.getElementById(id);
let detector = new Detector(showEngine);
let selected = null;
let pictureCount = 0;

const settings = new Settings({ threshold: showFaces, size: lookAgain, engine: load });
const stage = new Stage();
const list = new PictureList($('list'), select);
const faces = new Faces($('crops'), { detector: () => detector, light: (i) => stage.light(i), failed: tell });
const queue = new Queue({ detect, changed });
const live = new Live($('video'), {
  detector: () => detector,
  size: () => settings.size,
  show: showLive,
  failed: tell,
});

/* the model */

async function start() {
  $('engine').textContent = 'Loading…';
  try {
    const response = await fetch('models.json');
    if (!response.ok) throw new Error(`The list of models cannot be fetched: the server says ${response.status}.`);
    settings.setModels(await response.json());
    settings.setDevices(await devices());
  } catch (error) {
    return fail(error instanceof TypeError ? new Error('The server of this page does not answer.') : error);
  }
  await load();
}

/** Loads the model that is chosen, for the device that is chosen. */
async function load() {
  queue.paused = true;
  delete document.body.dataset.ready;
  try {
    await detector.load(settings.model, settings.device, (share) => {
      $('engine').textContent = `Loading the model… ${Math.round(share * 100)} %`;
    });
    document.body.dataset.ready = settings.model.name;
    $('retry').hidden = true;
    hideNotice();
    $('pause').textContent = 'Pause';
    queue.paused = false;
    lookAgain();
  } catch (error) {
    fail(error);
  }
}

function showEngine({ model, device, threads, version, trouble }) {
  const place = device === 'gpu' ? 'graphics processor' : threads === 1 ? '1 thread' : `${threads} threads`;
  const reason = trouble ? ', because the graphics processor failed' : '';
  $('engine').textContent = `Model ${model} · ONNX Runtime Web ${version}, ${place}${reason} · nothing leaves this device`;
  $('engine').title = trouble ?? '';
}

/** The detector cannot start: says so and offers to try again. */
function fail(error) {
  $('engine').textContent = 'The model is not loaded.';
  tell(new Error(`The detector could not start. ${error.message}`), true);
}

function detect(picture) {
  return detector.detect(picture.file, settings.size, { thumbnail: !picture.thumbnail });
}

function lookAgain() {
  queue.again();
  live.refresh();
}

/* pictures come in */

function take(found) {
  if (!found.length) return tell(new Error('There are no pictures in it.'));
  const video = found.find(({ file }) => isVideo(file));
  const pictures = found.filter(({ file }) => !isVideo(file)).map(({ file, path }) => {
    return { id: ++pictureCount, file, path, state: 'waiting', result: null, error: null, thumbnail: null };
  });
  hideNotice();
  if (pictures.length) addPictures(pictures);
  else if (video) watch(() => live.startVideo(video.file, video.path));
}

function addPictures(pictures) {
  list.add(pictures);
  for (const picture of pictures) list.update(picture, settings.threshold);
  if (!live.active) {
    setView('pictures');
    select(pictures[0]);
  }
  queue.add(pictures);
  showProgress();
}

function select(picture) {
  stopLive();
  selected = picture;
  queue.first = picture;
  list.show(picture);
  stage.showPicture(picture);
  showFaces();
}

/** Something happened to a picture of the queue. */
function changed(picture) {
  if (picture.result?.thumbnail) {
    picture.thumbnail = URL.createObjectURL(picture.result.thumbnail);
    picture.result.thumbnail = null;
  }
  list.update(picture, settings.threshold);
  if (picture === selected && !live.active) {
    stage.update(picture);
    if (picture.state !== 'busy') showFaces(picture);
    if (picture.state === 'done') announce(`${picture.path}: ${faceCount(facesAbove(picture, settings.threshold).length)}`);
    if (picture.state === 'failed') announce(`${picture.path}: ${picture.error}`);
  }
  showProgress();
}

/* what is seen */

function setView(view) {
  document.body.dataset.view = view;
  $('live-tools').hidden = view !== 'live';
}

/** Shows the faces that reach the threshold; called with a picture, only of that one. */
function showFaces(only) {
  if (live.active) return live.refresh();
  if (!(only instanceof Object)) for (const picture of queue.pictures) list.update(picture, settings.threshold);
  const shown = selected ? facesAbove(selected, settings.threshold) : [];
  const result = selected?.result;
  stage.drawBoxes(shown, result?.width, result?.height);
  faces.show(selected, shown);
  $('face-count').textContent = result ? shown.length : '';
  const none = result ? 'No face reaches the least score.' : '';
  $('faces-help').textContent = shown.length ? 'Choose a face to save it.' : none;
  if (result) stage.time(result, faceCount(shown.length));
}

function showLive(result, rate) {
  const shown = result.faces.filter((face) => face.score >= settings.threshold);
  stage.drawBoxes(shown, result.width, result.height);
  stage.time(result, faceCount(shown.length), rate);
}

function showProgress() {
  const { pictures, left } = queue;
  const failures = pictures.filter(({ state }) => state === 'failed').length;
  $('picture-count').textContent = pictures.length || '';
  $('progress').hidden = left === 0 || pictures.length < 2;
  $('progress-bar').value = pictures.length ? 1 - left / pictures.length : 0;
  $('progress-text').textContent = `${pictures.length - left} of ${pictures.length} done`;
  for (const id of ['save-json', 'save-csv', 'save-zip']) $(id).disabled = left === pictures.length || zipping;
  if (left === 0 && pictures.length > 1 && showProgress.left > 0) {
    announce(`${pictures.length} pictures done${failures ? `, ${failures} failed` : ''}.`);
  }
  showProgress.left = left;
}

function announce(text) {
  $('announcer').textContent = text;
}

function tell(error, retry = false) {
  if (!retry && !$('retry').hidden) return; // nothing is more important
  $('notice').hidden = false;
  $('notice').querySelector('p').textContent = error.message;
  $('retry').hidden = !retry;
  $('dismiss').hidden = retry; // without a detector there is nothing else to do
}

/** Takes back what was told, unless only another try can mend it. */
function hideNotice() {
  $('notice').hidden = $('retry').hidden;
}

/* camera and video */

async function watch(begin) {
  hideNotice();
  const { view } = document.body.dataset;
  try {
    await begin();
    setView('live');
    stage.showVideo(live.name);
    faces.show(null, []);
    $('face-count').textContent = '';
    $('faces-help').textContent = 'Keep a frame to save its faces.';
    list.show(null);
  } catch (error) {
    tell(error);
    if (view === 'live') leaveLive();
  }
}

function stopLive() {
  if (!live.active) return;
  live.stop();
  setView('pictures');
}

function leaveLive() {
  live.stop();
  setView(queue.pictures.length ? 'pictures' : 'welcome');
  if (queue.pictures.length) select(selected ?? queue.pictures[0]);
}

async function keepFrame() {
  try {
    const file = await live.frame();
    take([{ file, path: file.name }]);
    announce(`${file.name} is in the list of pictures.`);
  } catch (error) {
    tell(error);
  }
}

/* saving */

let zipping = false;

async function saveZip() {
  zipping = true;
  $('save-zip').setAttribute('aria-busy', 'true');
  showProgress();
  const help = $('save-help').textContent;
  try {
    const total = queue.pictures.length;
    const blob = await toZip(queue.pictures, settings.threshold, detector, (done) => {
      $('save-help').textContent = `Cutting out faces: ${done} of ${total} pictures…`;
    });
    save(blob, 'lafd-results.zip');
  } catch (error) {
    tell(error);
  }
  $('save-help').textContent = help;
  $('save-zip').removeAttribute('aria-busy');
  zipping = false;
  showProgress();
}

function clear() {
  stopLive();
  hideNotice();
  queue.clear();
  list.clear();
  selected = null;
  stage.showPicture(null);
  faces.show(null, []);
  setView('welcome');
  showProgress();
  announce('The list is empty.');
}

/* buttons */

function connect() {
  const openers = (kind) => document.querySelectorAll(`[data-open="${kind}"]`);
  for (const kind of ['pictures', 'folder', 'video']) connectPicker($(`pick-${kind}`), openers(kind), take);
  for (const button of openers('camera')) button.addEventListener('click', () => watch(() => live.startCamera()));
  connectDrop($('veil'), take);
  connectPaste(take);
  connectTheme($('theme'));
  const actions = {
    clear,
    dismiss: hideNotice,
    'keep-frame': keepFrame,
    'stop-live': leaveLive,
    'save-json': () => save(toJson(queue.pictures, settings.threshold), 'lafd-results.json'),
    'save-csv': () => save(toCsv(queue.pictures, settings.threshold), 'lafd-results.csv'),
    'save-zip': saveZip,
    example: async () => {
      const blob = await (await fetch('example.webp')).blob();
      take([{ file: new File([blob], 'example.webp', { type: blob.type }), path: 'example.webp' }]);
    },
    pause: () => {
      queue.pause(!queue.paused);
      $('pause').textContent = queue.paused ? 'Continue' : 'Pause';
    },
    retry: () => {
      $('retry').hidden = true;
      hideNotice();
      detector.close();
      detector = new Detector(showEngine);
      start();
    },
  };
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener('click', action);
}

connect();
showProgress();
start();
