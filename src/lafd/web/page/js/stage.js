// The picture that is looked at, with its faces marked.

export class Stage {
  constructor() {
    for (const name of ['area', 'frame', 'image', 'video', 'boxes', 'broken', 'readout', 'stage-title']) {
      this[name] = document.getElementById(name);
    }
    this.image.addEventListener('load', () => this.shape(this.image.naturalWidth, this.image.naturalHeight));
    this.video.addEventListener('loadedmetadata', () => this.shape(this.video.videoWidth, this.video.videoHeight));
  }

  /** Shows a picture, or nothing. */
  showPicture(picture) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = picture ? URL.createObjectURL(picture.file) : null;
    this.video.hidden = true;
    this['stage-title'].textContent = picture ? picture.path : 'Picture';
    if (picture) {
      this.image.src = this.url;
      this.image.alt = `The picture ${picture.path}`;
    }
    this.drawBoxes([], 1, 1);
    this.readout.textContent = '';
    this.update(picture);
  }

  /** Shows the video element instead. */
  showVideo(name) {
    this['stage-title'].textContent = name;
    this.image.hidden = true;
    this.broken.hidden = true;
    this.frame.hidden = false;
    this.video.hidden = false;
    this.area.classList.remove('busy');
    this.drawBoxes([], 1, 1);
    this.readout.textContent = '';
  }

  /** Says that the picture is being looked at, or why it is broken. */
  update(picture) {
    const failed = picture?.state === 'failed';
    this.frame.hidden = failed || !picture;
    this.image.hidden = failed || !picture;
    this.broken.hidden = !failed;
    this.broken.querySelector('p').textContent = failed ? picture.error : '';
    this.area.classList.toggle('busy', picture?.state === 'waiting' || picture?.state === 'busy');
  }

  drawBoxes(faces, width, height) {
    this.boxes.replaceChildren(...faces.map(({ box: [x1, y1, x2, y2], score }) => {
      const mark = document.createElement('div');
      mark.className = 'box';
      mark.classList.toggle('low', y1 / height < 0.04);
      mark.style.left = `${(x1 / width) * 100}%`;
      mark.style.top = `${(y1 / height) * 100}%`;
      mark.style.width = `${((x2 - x1) / width) * 100}%`;
      mark.style.height = `${((y2 - y1) / height) * 100}%`;
      const label = document.createElement('span');
      label.textContent = percent(score);
      mark.append(label);
      return mark;
    }));
  }

  /** Marks one face among the others, none for -1. */
  light(index) {
    for (const [i, mark] of [...this.boxes.children].entries()) mark.classList.toggle('lit', i === index);
  }

  /** Writes what was done in how long; `rate` is in frames per second. */
  time(result, count, rate) {
    const { reading, preparing, network, choosing } = result.times;
    const total = reading + preparing + network + choosing;
    const parts = Object.entries({ reading, preparing, network, choosing });
    const bold = document.createElement('b');
    bold.textContent = `${count}, ${milliseconds(total)}`;
    const speed = rate === undefined ? '' : ` · ${rate.toFixed(1)} frames/s`;
    const detail = parts.filter(([, value]) => value >= 0.05).map(([name, value]) => `${name} ${rounded(value)}`);
    const sizes = `${result.width} × ${result.height}, seen at ${result.view.join(' × ')}`;
    this.readout.replaceChildren(bold, `${speed} · ${detail.join(', ')} · ${sizes}`);
  }

  shape(width, height) {
    this.area.style.setProperty('--ratio', width / height);
    this.area.style.setProperty('--natural', Math.round((width / devicePixelRatio) * 2));
  }
}

export function percent(score) {
  return `${Math.round(score * 100)}%`;
}

function milliseconds(value) {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${rounded(value)} ms`;
}

function rounded(value) {
  return value >= 9.95 ? Math.round(value) : value.toFixed(1);
}
