// Label objects that engines treat as special. A library whose code for all metrics has seen one of them may be slower for
// every metric afterwards.

/** By kind: one call with such an object. */
const kinds = {
  none: () => undefined,
  'a deleted property': (record) => {
    const labels = { dropped: 1, ...SET };
    delete labels.dropped;
    record(labels);
  },
  'a getter': (record) =>
    record({
      ...SET,
      get method() {
        return 'GET';
      },
    }),
  'a number as a name': (record) => record({ 0: 'x', ...SET }),
  'inherited labels': (record) => record(Object.assign(Object.create({ code: '200' }), { method: 'GET', route: '/' })),
  'an instance of a class': (record) => record(new Labels()),
  'no prototype': (record) => record(Object.assign(Object.create(null), SET)),
  'a proxy': (record) => record(new Proxy(SET, {})),
};

const SET = { method: 'GET', route: '/', code: '200' };

class Labels {
  method = 'GET';
  route = '/';
  code = '200';
}

export const ODD_OBJECTS = Object.keys(kinds);

/** Records once with labels of this kind, to a metric of its own. Libraries may refuse them. */
export function recordOddly(library, kind) {
  const counter = library.counter('mixed_odd', Object.keys(SET));
  kinds[kind]((labels) => {
    try {
      counter.inc(labels);
    } catch {
      // Refused: the engine has seen the object all the same.
    }
  });
}
