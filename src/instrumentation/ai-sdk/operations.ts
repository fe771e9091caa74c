/**
 * Calls of the SDK's functions that are going on, by their ids. The SDK does not tell of those whose streams nobody reads any
 * more: while one waits for its reader, only its stream holds it, and it is collected with that.
 */

/** More are forgotten, the oldest first: what never ends must not be kept for ever. */
const OPEN_MAX = 10_000;

export class Operations<O extends object> {
  readonly #open = new Map<string, O | WeakRef<O>>();
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.get(id) === undefined) this.#open.delete(id);
  });

  get(id: string): O | undefined {
    const held = this.#open.get(id);
    return held instanceof WeakRef ? held.deref() : held;
  }

  open(id: string, operation: O): O {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(id, operation);
    return operation;
  }

  /** From now on its stream holds it. */
  leave(id: string, operation: O): void {
    if (!this.#open.has(id)) return;
    this.#open.set(id, new WeakRef(operation));
    this.#collected.register(operation, id, operation);
  }

  /** Its stream has ended. */
  resume(id: string, operation: O): void {
    if (!this.#open.has(id)) return;
    this.#collected.unregister(operation);
    this.#open.set(id, operation);
  }

  close(id: string): void {
    this.#open.delete(id);
  }
}
