// A camera or a video file: frames go to the detector one at a time, as fast as it takes them.

export class Live {
  /** `video` is the element that plays; `show(result, framesPerSecond)` draws what was found. */
  constructor(video, { detector, size, show, failed }) {
    Object.assign(this, { video, detector, size, show, failed, run: 0, times: [] });
    video.addEventListener('seeked', () => this.refresh());
  }

  /** Looks again at a frame that stands still. */
  refresh() {
    if (this.active && this.video.paused) this.look(this.run);
  }

  get active() {
    return this.run % 2 === 1;
  }

  /** Asks for the camera and starts; throws one clear sentence when there is none. */
  async startCamera() {
    if (!navigator.mediaDevices) throw new Error('The camera works only on https pages and on this computer itself.');
    let stream;
    try {
      const wish = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
    } catch (error) {
      throw new Error(CAMERA_REASONS[error.name] ?? `The camera cannot be used (${error.message}).`);
    }
    this.stop();
    this.video.srcObject = stream;
    this.video.controls = false;
    await this.begin('Camera');
  }

  async startVideo(file, path) {
    this.stop();
    this.video.src = URL.createObjectURL(file);
    this.video.controls = true;
    try {
      await this.begin(path);
    } catch {
      this.stop();
      throw new Error(`${path} cannot be played: the file is damaged, or of a kind that this browser does not play.`);
    }
  }

  async begin(name) {
    this.name = name;
    this.run++;
    this.times = [];
    this.video.muted = true;
    await this.video.play();
    this.loop(this.run);
  }

  /** Ends playing and gives the camera back. */
  stop() {
    if (this.active) this.run++;
    this.video.pause();
    for (const track of this.video.srcObject?.getTracks() ?? []) track.stop();
    if (this.video.src) URL.revokeObjectURL(this.video.src);
    this.video.srcObject = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  /** The frame that shows now, as a PNG file. */
  async frame() {
    const canvas = new OffscreenCanvas(this.video.videoWidth, this.video.videoHeight);
    canvas.getContext('2d').drawImage(this.video, 0, 0);
    const seconds = this.video.currentTime.toFixed(2);
    const name = `${this.name.replace(/\.[^.]+$/, '')} ${seconds} s.png`;
    return new File([await canvas.convertToBlob()], name.split('/').pop(), { type: 'image/png' });
  }

  async loop(run) {
    while (run === this.run) {
      await nextFrame(this.video);
      if (run !== this.run) return;
      if (this.video.paused && this.times.length) continue; // refresh() sees to it
      if (!(await this.look(run))) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Detects in the present frame; true when it did. */
  async look(run) {
    if (this.looking || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return false;
    this.looking = true;
    try {
      const bitmap = await createImageBitmap(this.video);
      const result = await this.detector().detect(bitmap, this.size());
      if (run === this.run) this.show(result, this.rate());
      return true;
    } catch (error) {
      if (run === this.run) this.failed(error);
      return false;
    } finally {
      this.looking = false;
    }
  }

  rate() {
    const now = performance.now();
    this.times = [...this.times.filter((time) => now - time < 2000), now];
    const span = now - this.times[0];
    return span > 0 ? ((this.times.length - 1) / span) * 1000 : 0;
  }
}

const CAMERA_REASONS = {
  NotAllowedError: 'The browser was not allowed to use the camera; allow it in the address bar and try again.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'The camera is in use by another program.',
};

function nextFrame(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback && !video.paused) {
      const timer = setTimeout(resolve, 500); // a paused or stalled video gives no frames
      video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        resolve();
      });
    } else {
      setTimeout(resolve, video.paused ? 250 : 16);
    }
  });
}
