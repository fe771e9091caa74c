// As much of a document as the modules of the page need to make elements, and a drawing context that notes its paths.

class FakeElement {
  children = [];
  dataset = {};
  style = {};
  classList = { toggle() {} };
  parentNode = null;
  offsetParent = {};
  clientWidth = 0;
  clientHeight = 0;
  #text = '';
  #listeners = new Map();

  get firstChild() {
    return this.children[0];
  }

  get textContent() {
    return this.#text + this.children.map((child) => child.textContent ?? child).join('');
  }

  set textContent(text) {
    this.children = [];
    this.#text = text;
  }

  append(...children) {
    for (const child of children) if (child instanceof FakeElement) child.parentNode = this;
    this.children.push(...children);
  }

  remove() {
    this.parentNode.children = this.parentNode.children.filter((child) => child !== this);
    this.parentNode = null;
  }

  setAttribute(name, value) {
    if (name.startsWith('data-')) this.dataset[name.slice('data-'.length)] = value;
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, listener);
  }

  click() {
    this.#listeners.get('click')();
  }

  contains() {
    return false;
  }

  getBoundingClientRect() {
    return { top: 0 };
  }

  getContext() {
    return null;
  }

  /** All elements below that pass. */
  all(passes) {
    const below = this.children.filter((child) => child instanceof FakeElement);
    return below.flatMap((child) => [...(passes(child) ? [child] : []), ...child.all(passes)]);
  }
}

/** Makes the globals that the modules of the page read. */
export function makeDocument() {
  Object.assign(globalThis, {
    document: { createElement: () => new FakeElement(), hidden: false, addEventListener() {} },
    addEventListener() {},
    innerHeight: 1000,
    getComputedStyle: () => ({ getPropertyValue: () => '40px' }),
  });
}

/** A drawing context, and the number of points of each path. */
export function drawing() {
  const paths = [];
  const known = { beginPath: () => void paths.push(0), lineTo: () => void paths.push(paths.pop() + 1) };
  const context = new Proxy(known, { get: (target, name) => target[name] ?? (() => {}), set: () => true });
  return { context, paths };
}
