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

/** @param owner the collector that records @returns a function that restores the transport */
export function observeTransport(transport: object, owner: object, observer: TransportObserver): Uninstall {
  const patches = new Patches(owner);
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

/** Calls `before` ahead of the function that a property has, now or later. @returns a function that restores the property */
function tapCallback(target: object, name: string, before: (argument: unknown) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  // Some transports pass the callback on to one within, by an accessor of their class.
  const accessor = own ?? findInherited(target, name);
  let assigned = read(target, name);
  const tapped: Callback = function (...args) {
    quietly(() => before(args[0]));
    return (assigned as Callback).apply(this, args);
  };
  const current = () => (typeof assigned === 'function' ? tapped : assigned);
  const set = (value: unknown): void => {
    assigned = value;
    accessor?.set?.call(target, current());
  };
  Object.defineProperty(target, name, { configurable: true, enumerable: true, get: current, set });
  set(assigned);
  return () => {
    if (Object.getOwnPropertyDescriptor(target, name)?.set !== set) return;
    if (own === undefined) delete (target as Record<string, unknown>)[name];
    else Object.defineProperty(target, name, own);
    (target as Record<string, unknown>)[name] = assigned;
  };
}

function findInherited(target: object, name: string): PropertyDescriptor | undefined {
  for (let at = Object.getPrototypeOf(target); at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
