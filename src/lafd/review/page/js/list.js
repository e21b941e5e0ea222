// The list of pictures. Only the rows that are seen exist, so that 100,000 pictures are as quick as ten.

const ROW = 40; // pixels
const MORE = 6; // rows beyond the edges

export class PictureList {
  constructor(element, table, open) {
    Object.assign(this, { element, table, open });
    this.sequence = [];
    this.now = -1;
    this.rows = document.createElement('div');
    this.rows.className = 'rows';
    this.rows.role = 'presentation';
    element.append(this.rows);
    element.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(element);
    element.addEventListener('click', (event) => {
      const row = event.target.closest('.row');
      if (row) open(Number(row.dataset.place));
    });
    element.addEventListener('keydown', (event) => {
      const last = this.sequence.length - 1;
      const places = { ArrowDown: this.now + 1, ArrowUp: this.now - 1, Home: 0, End: last };
      if (!(event.key in places) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      open(Math.min(Math.max(0, places[event.key]), last));
    });
  }

  /** Takes another sequence. */
  set(sequence) {
    this.sequence = sequence;
    this.rows.style.height = `${sequence.length * ROW}px`;
    this.draw();
  }

  /** Marks a place and brings it into sight. */
  show(place) {
    this.now = place;
    const { element } = this;
    const top = place * ROW;
    if (top < element.scrollTop || top + ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = top - element.clientHeight / 3;
    }
    this.draw();
  }

  draw() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - MORE);
    const last = Math.min(this.sequence.length, Math.ceil((scrollTop + clientHeight) / ROW) + MORE);
    const rows = [];
    for (let place = first; place < last; place += 1) rows.push(this.row(place));
    this.rows.replaceChildren(...rows);
    if (this.now >= first && this.now < last) this.element.setAttribute('aria-activedescendant', `row-${this.now}`);
    else this.element.removeAttribute('aria-activedescendant');
  }

  row(place) {
    const index = this.sequence[place];
    const { names, statuses, faces } = this.table;
    const status = statuses[index];
    const row = document.createElement('div');
    row.className = 'row';
    row.role = 'option';
    row.id = `row-${place}`;
    row.dataset.place = place;
    row.dataset.status = status;
    row.style.top = `${place * ROW}px`;
    row.title = names[index];
    row.ariaSelected = String(place === this.now);
    row.ariaSetSize = this.sequence.length;
    row.ariaPosInSet = place + 1;
    row.innerHTML = '<svg aria-hidden="true"><use></use></svg><span class="name"></span><span class="unseen"></span><span class="count"></span>';
    row.querySelector('use').setAttribute('href', `#i-${ICONS[status]}`);
    row.querySelector('.name').textContent = names[index].split('/').pop();
    row.querySelector('.count').textContent = faces[index];
    row.querySelector('.unseen').textContent = `, ${status}, faces: `;
    return row;
  }
}

const ICONS = { unseen: 'unseen', edited: 'edited', accepted: 'accept', rejected: 'reject' };
