/**
 * Holds the running calls of the SDK's functions, by id. The SDK reports no end for an abandoned stream. So while a call
 * waits for its stream to be read, this module holds it weakly, and it is garbage-collected together with the stream.
 */

/** Most calls that are held. The oldest is dropped beyond that, because a call that never ends would stay for ever. */
const OPEN_MAX = 10_000;

export class Operations<O extends object> {
  readonly #open = new Map<string, O | WeakRef<O>>();
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.get(id) === undefined) this.#open.delete(id);
  });

  get(id: string): O | undefined {
    const held = this.#open.get(id);
    return held !== undefined && 'deref' in held ? held.deref() : held;
  }

  open(id: string, operation: O): O {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(id, operation);
    return operation;
  }

  /** From now on only its stream holds the operation. */
  leave(id: string, operation: O): void {
    if (!this.#open.has(id)) return;
    this.#open.set(id, new WeakRef(operation));
    this.#collected.register(operation, id, operation);
  }

  /** Its stream has ended: hold the operation again. */
  resume(id: string, operation: O): void {
    if (!this.#open.has(id)) return;
    this.#collected.unregister(operation);
    this.#open.set(id, operation);
  }

  close(id: string): void {
    this.#open.delete(id);
  }
}
