// Sends changes one after another. Until the program says that one is on the disk, it also lies in the browser's
// storage: neither the end of the program nor that of the browser loses it.

import * as api from './api.js';

const RETRY = 1000; // ms

export class Saver {
  /**
   * identity: of the review's journal.
   * show(state, text): is told "saved", "saving" or "failing".
   * saved(picture): is told the program's answer.
   * conflict(index, error): the program did not take the change, and we dropped it.
   */
  constructor(identity, names, { show, saved, conflict }) {
    this.key = `lafd-review-${identity}`;
    Object.assign(this, { show, saved, conflict });
    this.running = null;
    const indices = new Map(names.map((name, index) => [name, index]));
    this.queue = read(this.key)
      .filter(({ name }) => indices.has(name))
      .map((entry) => ({ ...entry, index: indices.get(entry.name) }));
  }

  /** Takes a change: a state, and the version of the one that it was made from. */
  put(index, name, state, version) {
    this.queue.push({ index, name, state, version });
    this.keep();
    this.flush();
  }

  /** Resolves when everything is saved, or when trying has failed for the first time. */
  flush() {
    if (!this.queue.length) return Promise.resolve();
    this.running ??= this.send();
    return this.running;
  }

  async send() {
    try {
      while (this.queue.length) if (!(await this.sendFirst())) return;
      this.show('saved', 'Saved');
    } finally {
      this.running = null;
    }
  }

  /** Sends the oldest change; false if the program cannot take it now. */
  async sendFirst() {
    this.show('saving', 'Saving…');
    const { index, state, version } = this.queue[0];
    try {
      const answer = await api.put(index, { ...state, version });
      this.queue.shift();
      this.saved(answer);
    } catch (error) {
      if (error.status === 0 || error.status >= 500) {
        this.show('failing', `Not saved yet: ${error.message} Trying again.`);
        setTimeout(() => this.flush(), RETRY);
        return false;
      }
      this.queue = this.queue.filter((entry) => entry.index !== index);
      await this.conflict(index, error);
    }
    this.keep();
    return true;
  }

  keep() {
    try {
      if (this.queue.length) localStorage.setItem(this.key, JSON.stringify(this.queue));
      else localStorage.removeItem(this.key);
    } catch {
      // storage is full or switched off; the program alone keeps the changes
    }
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}
