// Feeds expositions to the store of the page, one a second, in pieces as a network delivers them.

import { LineReader } from '../../../crate/core/page/parse.mjs';
import { Store } from '../../../crate/core/page/store.mjs';

/** Feeds one exposition. */
export function feed(store, time, text, size = 64 * 1024) {
  const reader = new LineReader(store);
  store.begin(time);
  for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size));
  reader.end();
  store.end();
}

/** A store that has read these expositions. */
export function storeOf(texts, size) {
  const store = new Store();
  texts.forEach((text, at) => void feed(store, at * 1000, text, size));
  return store;
}

/** A series by its family and its labels as they are written. */
export function seriesOf(store, name, key = '') {
  return store.families.get(name).series.get(key);
}
