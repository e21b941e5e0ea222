// How far the review is, and how fast it goes.

const RECENT = 20; // decisions that the pace is of
const PAUSE = 60_000; // ms; who rests longer does not slow down

export class Headway {
  constructor(bar, text, table) {
    Object.assign(this, { bar, text, table });
    this.times = [];
    this.show();
  }

  /** Counts a decision. */
  mark() {
    this.times = [...this.times, Date.now()].slice(-RECENT - 1);
  }

  show() {
    const { statuses } = this.table;
    const decided = statuses.filter((status) => status === 'accepted' || status === 'rejected').length;
    this.bar.max = statuses.length;
    this.bar.value = decided;
    const pace = this.pace();
    const count = `${decided.toLocaleString('en')} of ${statuses.length.toLocaleString('en')}`;
    this.text.textContent = pace ? `${count} · ${pace} an hour` : count;
  }

  pace() {
    if (this.times.length < 6) return 0;
    const gaps = this.times.slice(1).map((time, i) => Math.min(PAUSE, time - this.times[i]));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    return Math.round(3_600_000 / Math.max(mean, 1));
  }
}
