// The sliders and the choice of the model and of where it runs.

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
      changed.engine();
    });
    $('device').addEventListener('change', () => changed.engine());
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

  /** Where the network is to run: "gpu" or "cpu". */
  get device() {
    return $('device').value;
  }

  /** Offers devices to choose from, the best first. */
  setDevices(devices) {
    const names = { gpu: 'Graphics processor', cpu: 'Processor' };
    $('device').replaceChildren(...devices.map((device) => new Option(names[device], device)));
    $('device-field').hidden = devices.length < 2;
  }

  takeDefaults() {
    $('threshold').value = this.model.confidence * 100;
    $('size').value = this.model.size;
    $('model-help').textContent = this.model.description;
    this.write();
  }

  write() {
    const threshold = `${Number($('threshold').value)}%`;
    $('threshold-value').textContent = threshold;
    $('size-value').textContent = `${this.size} px`;
    $('threshold').setAttribute('aria-valuetext', threshold);
    $('size').setAttribute('aria-valuetext', `${this.size} pixels`);
    for (const slider of [$('threshold'), $('size')]) {
      const share = (slider.value - slider.min) / (slider.max - slider.min);
      slider.style.setProperty('--share', `${share * 100}%`);
    }
  }
}
