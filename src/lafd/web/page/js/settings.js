// The sliders and the choice of the model.

import { percent } from './stage.js';

const $ = (id) => document.getElementById(id);

export class Settings {
  /** `changed` has a function for each setting, called after it changed. */
  constructor(changed) {
    this.models = [];
    $('threshold').addEventListener('input', () => {
      this.write();
      changed.threshold();
    });
    $('size').addEventListener('input', () => this.write());
    $('size').addEventListener('change', () => changed.size());
    $('model').addEventListener('change', () => {
      this.takeDefaults();
      changed.model(this.model);
    });
    this.write();
  }

  get threshold() {
    return Number($('threshold').value) / 100;
  }

  get size() {
    return Number($('size').value);
  }

  get model() {
    return this.models.find(({ name }) => name === $('model').value);
  }

  /** The models to choose from, each {name, description, size, confidence, iou}; the first is the default. */
  setModels(models) {
    this.models = models;
    $('model').replaceChildren(...models.map(({ name }) => new Option(name)));
    this.takeDefaults();
  }

  takeDefaults() {
    $('threshold').value = Math.round(this.model.confidence * 100);
    $('size').value = this.model.size;
    $('model-help').textContent = this.model.description;
    this.write();
  }

  write() {
    $('threshold-value').textContent = percent(this.threshold);
    $('size-value').textContent = `${this.size} px`;
    $('threshold').setAttribute('aria-valuetext', percent(this.threshold));
    $('size').setAttribute('aria-valuetext', `${this.size} pixels`);
    for (const slider of [$('threshold'), $('size')]) {
      const share = (slider.value - slider.min) / (slider.max - slider.min);
      slider.style.setProperty('--share', `${share * 100}%`);
    }
  }
}
