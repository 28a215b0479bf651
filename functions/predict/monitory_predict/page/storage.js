// The browser's storage, under names of our own. Where a browser refuses it, this tab's memory stands in.

const PREFIX = "monitory.";

class Shelf {
  #memory = new Map();
  #area;

  constructor(area) {
    this.#area = area;
  }

  get(name) {
    try {
      return this.#area().getItem(PREFIX + name) ?? this.#memory.get(name) ?? null;
    } catch {
      return this.#memory.get(name) ?? null;
    }
  }

  set(name, value) {
    this.#memory.delete(name);
    try {
      this.#area().setItem(PREFIX + name, value);
    } catch {
      this.#memory.set(name, value);
    }
  }

  remove(name) {
    this.#memory.delete(name);
    try {
      this.#area().removeItem(PREFIX + name);
    } catch {
      // nothing is in a storage that refuses
    }
  }

  clear() {
    this.#memory.clear();
    try {
      const area = this.#area();
      for (const name of Object.keys(area)) if (name.startsWith(PREFIX)) area.removeItem(name);
    } catch {
      // the same
    }
  }
}

export const device = new Shelf(() => window.localStorage);
export const session = new Shelf(() => window.sessionStorage);

/** Forget all that this page has stored. */
export function forgetAll() {
  device.clear();
  session.clear();
}
