/** Values that a callback may throw, reject with or return. Each call makes new ones: some can be read only once. */
export function thrownValues() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const revoked = Proxy.revocable(() => {}, {});
  revoked.revoke();
  const failing = (name) => ({
    get() {
      throw new TypeError(`${name} cannot be read`);
    },
    configurable: true,
  });
  const made = new Error('unreadable');
  // The engine formats the stack once, when it is first read.
  void made.stack;
  const unreadable = Object.defineProperties(made, {
    message: failing('message'),
    stack: failing('stack'),
    name: failing('name'),
    cause: failing('cause'),
    code: failing('code'),
  });
  const trap = () => {
    throw new RangeError('a trap');
  };
  const traps = new Proxy(
    {},
    { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap },
  );
  const circular = new Error('circular');
  circular.cause = circular;
  circular.lastError = circular;
  return {
    'an error': new Error('postgres://user:secret@db/x\nsecond line'),
    'a frozen error': Object.freeze(new Error('frozen')),
    'an error that cannot be read': unreadable,
    'an error whose message is an object': Object.assign(new Error(), { message: { toString: trap } }),
    'an error that is its own cause': circular,
    undefined: undefined,
    null: null,
    false: false,
    zero: 0,
    'a bigint': 10n,
    'a symbol': Symbol('thrown'),
    'an empty string': '',
    'a long string': 'x'.repeat(1_000_000),
    'a function': () => {},
    'an object without prototype': Object.create(null),
    'an object that cannot be printed': { toString: trap, [Symbol.toPrimitive]: trap, toJSON: trap },
    'an object with a failing then': Object.defineProperty({}, 'then', failing('then')),
    'a revoked proxy': proxy,
    'a revoked function': revoked.proxy,
    'a proxy that fails': traps,
  };
}

/** Ways in which a callback may fail. */
export const manners = {
  throws: (value) => () => {
    throw value;
  },
  rejects: (value) => async () => {
    throw value;
  },
  'rejects later': (value) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw value;
  },
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library
  'returns an object that rejects': (value) => () => ({ then: (_, reject) => reject(value) }),
  'returns an object whose then throws': (value) => () => ({
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library
    then() {
      throw value;
    },
  }),
  returns: (value) => () => value,
};
