/**
 * Watches the messages of a transport: those that are sent by its method, those that arrive by the callbacks that the SDK
 * assigns to it. Transports have no other interface, in any version of the SDK.
 */
import { settled } from '../../collectors/agent/execution';
import { read } from '../../read';
import { quietly } from '../../warnings';
import type { Uninstall } from '../options';
import { Patches } from '../patches';

/** Receives the events of a transport. */
export interface TransportObserver {
  sent(message: unknown): void;
  notSent(message: unknown, error: unknown): void;
  received(message: unknown): void;
  closed(): void;
}

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** @returns a function that restores the transport */
export function observeTransport(transport: object, observer: TransportObserver): Uninstall {
  const patches = new Patches({});
  patches.wrap(transport, 'send', (original, [message]) => {
    quietly(() => observer.sent(message));
    return settled(original, (failure) => failure && observer.notSent(message, failure.error));
  });
  const restore = [
    tapCallback(transport, 'onmessage', (message) => observer.received(message)),
    tapCallback(transport, 'onclose', () => observer.closed()),
  ];
  return () => {
    patches.uninstall();
    for (const each of restore) quietly(each);
  };
}

/** Called ahead of the function that a property has. */
type Listener = (argument: unknown) => void;

/** A property whose function is listened to. Its listeners share one accessor, which the last of them removes. */
interface Tap {
  readonly listeners: Set<Listener>;
  remove(): void;
}

/** The taps of each transport, by the name of the property. */
const taps = new WeakMap<object, Map<string, Tap>>();

/** Calls `before` ahead of the function that a property has, now or later. @returns a function that restores the property */
function tapCallback(target: object, name: string, before: Listener): () => void {
  const byName = taps.get(target) ?? new Map<string, Tap>();
  taps.set(target, byName);
  const tap = byName.get(name) ?? addTap(target, name);
  byName.set(name, tap);
  // Each installation is a listener of its own, also if it passes the same function.
  const listener: Listener = (argument) => before(argument);
  tap.listeners.add(listener);
  return () => {
    tap.listeners.delete(listener);
    if (tap.listeners.size > 0 || byName.get(name) !== tap) return;
    byName.delete(name);
    tap.remove();
  };
}

function addTap(target: object, name: string): Tap {
  const listeners = new Set<Listener>();
  const own = Object.getOwnPropertyDescriptor(target, name);
  // Some transports pass the callback on to one within, by an accessor of their class.
  const accessor = own ?? findInherited(target, name);
  let assigned = read(target, name);
  /** Arguments of the running calls: a function that calls the one before it passes the same one on. */
  const running: unknown[] = [];
  const tapped = new WeakMap<Callback, Callback>();
  const wrap = (callback: Callback): Callback => {
    const wrapper: Callback = function (...args) {
      const isNew = !running.includes(args[0]);
      running.push(args[0]);
      try {
        if (isNew) for (const listener of listeners) quietly(() => listener(args[0]));
        return callback.apply(this, args);
      } finally {
        running.pop();
      }
    };
    tapped.set(callback, wrapper);
    // A wrapper that is read and assigned again stays itself.
    tapped.set(wrapper, wrapper);
    return wrapper;
  };
  const current = () =>
    typeof assigned === 'function' ? (tapped.get(assigned as Callback) ?? wrap(assigned as Callback)) : assigned;
  const set = (value: unknown): void => {
    assigned = value;
    accessor?.set?.call(target, current());
  };
  Object.defineProperty(target, name, { configurable: true, enumerable: true, get: current, set });
  set(assigned);
  return {
    listeners,
    remove: () => {
      if (Object.getOwnPropertyDescriptor(target, name)?.set !== set) return;
      if (own === undefined) delete (target as Record<string, unknown>)[name];
      else Object.defineProperty(target, name, own);
      (target as Record<string, unknown>)[name] = assigned;
    },
  };
}

function findInherited(target: object, name: string): PropertyDescriptor | undefined {
  for (let at = Object.getPrototypeOf(target); at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
