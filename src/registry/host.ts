/**
 * Answers the questions of the core's own threads, such as an exporter's: runs the collectors of a registry. Takes their
 * warnings.
 */
import type { HostMessage, NativeTicket } from '../native/addon';
import { forLog, LimitedWarnings } from '../warnings';
import type { RegistryInternals } from './internals';

/** Answers the questions about one registry. */
export class Host {
  protected readonly registry: RegistryInternals;
  protected readonly warnings = new LimitedWarnings((message) => this.registry.warn(message));
  readonly #asker: string;
  readonly #timeoutMs: number;

  /**
   * @param asker what asks, as warnings name it
   * @param timeoutMs after this time a collector has failed, though its asker waits for less
   */
  constructor(registry: RegistryInternals, asker: string, timeoutMs: number) {
    this.registry = registry;
    this.#asker = asker;
    this.#timeoutMs = timeoutMs;
  }

  /** Called by the addon. Must not throw, because the addon cannot handle an error. */
  readonly receive = (message: HostMessage): void => {
    const { kind, ticket, text } = message;
    if (ticket !== undefined && ticket !== null) {
      // After a blocked event loop, some questions have timed out already: skip them.
      if (!ticket.begin()) return;
      this.answer(message, ticket).catch((error: unknown) => {
        ticket.abandon();
        this.warnings.warn(kind, () => `${this.#asker}'s question was not answered: ${forLog(error)}`);
      });
    } else if (kind === 'mismatched') this.registry.warnOfMismatches([text]);
    else this.registry.warn(text);
  };

  /** Runs collectors. */
  protected async answer({ names, budgetMs }: HostMessage, ticket: NativeTicket): Promise<void> {
    await this.registry.collections.runForScrape(names, budgetMs, this.#timeoutMs);
    ticket.collected();
  }
}
