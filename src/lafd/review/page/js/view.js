// Where the picture lies in its area: fitted, or zoomed and moved.

const LARGEST = 16; // times the fitted size

export class View {
  constructor(area, frame, changed) {
    Object.assign(this, { area, frame, changed });
    this.width = this.height = this.zoom = 1;
    this.left = this.top = 0;
    new ResizeObserver(() => this.fit()).observe(area);
  }

  /** Takes a picture of this size and fits it. */
  open(width, height) {
    this.width = width;
    this.height = height;
    this.fit();
  }

  fit() {
    this.zoom = 1;
    this.place();
  }

  /** Screen pixels per pixel of the picture. */
  get scale() {
    return this.fitted * this.zoom;
  }

  get fitted() {
    const { clientWidth, clientHeight } = this.area;
    const most = Math.max(1, 480 / Math.max(this.width, this.height)); // small pictures are enlarged, to a degree
    return Math.min(clientWidth / this.width, clientHeight / this.height, 2 * most);
  }

  /** A point of the screen in pixels of the picture. */
  toPicture(x, y) {
    const corner = this.area.getBoundingClientRect();
    return [(x - corner.left - this.left) / this.scale, (y - corner.top - this.top) / this.scale];
  }

  /** Zooms so that the point of the screen stays where it is; without one, the centre. */
  zoomBy(factor, x, y) {
    const corner = this.area.getBoundingClientRect();
    const atX = x === undefined ? corner.width / 2 : x - corner.left;
    const atY = y === undefined ? corner.height / 2 : y - corner.top;
    const before = this.scale;
    this.zoom = Math.min(LARGEST, Math.max(1, this.zoom * factor));
    const ratio = this.scale / before;
    this.left = atX - (atX - this.left) * ratio;
    this.top = atY - (atY - this.top) * ratio;
    this.place();
  }

  moveBy(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.place();
  }

  place() {
    const width = this.width * this.scale;
    const height = this.height * this.scale;
    this.left = limited(this.left, width, this.area.clientWidth);
    this.top = limited(this.top, height, this.area.clientHeight);
    Object.assign(this.frame.style, {
      left: `${this.left}px`,
      top: `${this.top}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
    this.changed();
  }
}

/** A start that centres what fits and leaves no gap beside what does not. */
function limited(start, length, room) {
  return length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, start));
}
