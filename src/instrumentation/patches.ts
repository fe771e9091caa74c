/**
 * Wraps methods of objects that belong to an SDK, and restores them later. Several instrumentations may wrap one method: each
 * is a layer of one wrapper, and any of them can be removed. If other code has wrapped a method again in the meantime, our
 * wrapper stays in that chain and only passes calls on. Must not know any SDK.
 */
import { quietly } from '../warnings';

/**
 * Calls the original method on the caller's object with the caller's arguments.
 *
 * @param instead arguments to pass in place of the caller's; only for a change that an option asks for
 */
export type Original = (instead?: readonly unknown[]) => unknown;

/**
 * The behaviour of a wrapped method. It must call `original` exactly once, and return or throw what `original` does.
 *
 * @param args the caller's arguments; must not be changed
 */
export type Around = (original: Original, args: readonly unknown[], self: unknown) => unknown;

/** The behaviour that one instrumentation adds to a method. */
interface Layer {
  readonly around: Around;
  readonly patches: { readonly active: boolean; readonly owner: object };
  applies(self: unknown): boolean;
}

/** The layers of a wrapper, the outermost last. A change replaces the list, because a call may be walking through it. */
interface Layers {
  list: readonly Layer[];
  /** The method's property before it was wrapped; undefined for an inherited method. */
  readonly own: PropertyDescriptor | undefined;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Marks our wrappers, also those of another copy of this package. */
const LAYERS = Symbol.for('@llm-devops/prometheus-metrics.layers');

/** A call of a wrapped method that is being measured. */
interface Running {
  readonly owner: object;
  readonly self: unknown;
  readonly name: string;
}

/** The calls that have begun and not yet returned, of all copies of this package. Calls nest, so it is a stack. */
const RUNNING = Symbol.for('@llm-devops/prometheus-metrics.running');
const realm = globalThis as { [RUNNING]?: Running[] };
realm[RUNNING] ??= [];
const running: Running[] = realm[RUNNING];

/** The methods that one instrumentation has wrapped. */
export class Patches {
  /**
   * Records the calls. A call that passes several wrappers of one owner, on an object, on its class or on both, is measured by
   * the outermost one alone.
   */
  readonly owner: object;
  readonly #undo: (() => void)[] = [];
  readonly #parent: Patches | undefined;
  #active = true;

  /**
   * @param owner the collector
   * @param parent uninstalling it disables these wrappers too. It keeps no reference to them, so a wrapped clone of a client
   * can be garbage-collected
   */
  constructor(owner: object, parent?: Patches) {
    this.owner = owner;
    this.#parent = parent;
  }

  /** False after `uninstall()`: wrappers that are still reachable then only pass calls on. */
  get active(): boolean {
    return this.#active && (this.#parent?.active ?? true);
  }

  /** The number of wrapped methods. */
  get size(): number {
    return this.#undo.length;
  }

  /**
   * Wraps an own or inherited method of an object.
   *
   * @param applies whether calls on an object are measured
   * @returns false if the method is missing or cannot be replaced
   */
  wrap(target: unknown, name: string, around: Around, applies: (self: unknown) => boolean = always): boolean {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return false;
    const holder = target as Record<string, unknown>;
    if (typeof holder[name] !== 'function') return false;
    const own = Object.getOwnPropertyDescriptor(holder, name);
    const wrapped = layersOf(own?.value);
    const layers = wrapped ?? { list: [], own };
    if (wrapped === undefined && !put(holder, name, layers)) return false;
    const layer: Layer = { around, patches: this, applies };
    layers.list = [...layers.list.filter(({ patches }) => patches.active), layer];
    this.#undo.push(() => {
      layers.list = layers.list.filter((other) => other !== layer);
      if (layers.list.length === 0) restore(holder, name, layers);
    });
    return true;
  }

  /** Removes these wrappers. Later calls do nothing. */
  readonly uninstall = (): void => {
    this.#active = false;
    for (const undo of this.#undo.splice(0).reverse()) quietly(undo);
  };
}

function always(): boolean {
  return true;
}

/** Puts a wrapper in the place of a method. @returns false if the method cannot be replaced */
function put(holder: Record<string, unknown>, name: string, layers: Layers): boolean {
  const { own } = layers;
  const method = holder[name] as Method;
  // An inherited method is looked up for each call: its class may be instrumented later.
  const find = own === undefined ? () => Object.getPrototypeOf(holder)?.[name] ?? method : () => method;
  const wrapper = Object.defineProperty(makeWrapper(name, find, layers), LAYERS, { value: layers });
  // Stack traces show a function's name, and spies of test runners read its name and length.
  Object.defineProperty(wrapper, 'name', { value: method.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: method.length, configurable: true });
  const enumerable = own?.enumerable ?? false;
  return Reflect.defineProperty(holder, name, { value: wrapper, writable: true, configurable: true, enumerable });
}

function restore(holder: Record<string, unknown>, name: string, layers: Layers): void {
  if (layersOf(Object.getOwnPropertyDescriptor(holder, name)?.value) !== layers) return;
  if (layers.own === undefined) delete holder[name];
  else Object.defineProperty(holder, name, layers.own);
}

function layersOf(method: unknown): Layers | undefined {
  return typeof method === 'function' ? (method as { [LAYERS]?: Layers })[LAYERS] : undefined;
}

/** True for a method that is wrapped by a copy of this package. */
export function isWrapped(method: unknown): boolean {
  return layersOf(method) !== undefined;
}

function makeWrapper(name: string, find: () => Method, layers: Layers): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    return callLayers(name, find, layers.list, layers.list.length - 1, this, args);
  };
}

/** Calls a method through its layers, from the outermost at `from` to the method itself. */
function callLayers(
  name: string,
  find: () => Method,
  list: readonly Layer[],
  from: number,
  self: unknown,
  args: readonly unknown[],
): unknown {
  for (let at = from; at >= 0; at--) {
    const { around, patches, applies } = list[at] as Layer;
    if (!patches.active || isRunning(patches.owner, self, name) || !applies(self)) continue;
    running.push({ owner: patches.owner, self, name });
    try {
      return around((instead = args) => callLayers(name, find, list, at - 1, self, instead), args, self);
    } finally {
      running.pop();
    }
  }
  return find().apply(self, args as unknown[]);
}

function isRunning(owner: object, self: unknown, name: string): boolean {
  for (let at = running.length - 1; at >= 0; at--) {
    const call = running[at] as Running;
    if (call.self === self && call.name === name && call.owner === owner) return true;
  }
  return false;
}
