/**
 * Implements state sets: a fixed list of states, each of which is on or off.
 */
import { ConfigurationError, describe, RegistrationError, refuseOption } from '../errors';
import type { AnyLabels, Uninferred } from '../types';
import { checkConfiguration, childOf, enter, Metric, type MetricConfiguration, valuesOf } from './metric';
import { put, revived, Series, seriesSet } from './series';

/** Configuration of a state set. */
export interface StateSetConfiguration<S extends string = string, T extends string = string>
  extends MetricConfiguration<T, StateSet<S, T>> {
  /** All states, each shown as 0 or 1. At least one. */
  states: readonly S[];
  /** The state that is on at first, in a state set without labels. @default none is on */
  initial?: Uninferred<S> | undefined;
}

/** What `labels()` returns: one state. */
export interface StateSeries {
  /** Turns the state on or off. */
  turn(on: boolean): void;
}

/** The series of one state. */
export class StateCells extends Series {
  turn(on: boolean): void {
    this[revived]()[put](on ? 1 : 0);
  }
}

/**
 * States of a thing: `open`, `half_open` or `closed`; features that are on or off. OpenMetrics has a type for it; text
 * 0.0.4 shows a gauge. The label that shows the state has the name of the metric.
 *
 * @example
 * const breaker = new StateSet({ name: 'breaker', help: 'State', states: ['open', 'half_open', 'closed'] });
 * breaker.set('closed');
 */
export class StateSet<S extends string = string, T extends string = string> extends Metric<T, StateCells, StateSeries> {
  /** All states. */
  readonly states: readonly S[];
  readonly #initial: S | undefined;

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   * @throws {ConfigurationError} `INVALID_CONFIG` for invalid states
   */
  constructor(configuration: StateSetConfiguration<S, T>) {
    checkConfiguration(configuration);
    const states = checkedStates(configuration.states);
    super(withState(configuration) as MetricConfiguration<T, never>, {
      type: 'stateset',
      buckets: [],
      series: StateCells,
    });
    this.states = states as S[];
    if (configuration.initial !== undefined) {
      if (this.#hasLabels()) {
        refuseOption('no initial state for a state set with labels', 'initial', configuration.initial);
      }
      this.#check(configuration.initial);
    }
    this.#initial = configuration.initial;
    this.reset();
    enter(this);
  }

  /** @internal */
  override [childOf](series: StateCells): StateSeries {
    return { turn: (on) => series.turn(on) };
  }

  /**
   * Turns one state on and all others off.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown state
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set(state: S): void;
  set(labels: AnyLabels<T>, state: S): void;
  set(labels: AnyLabels<T> | S, state?: S): void {
    const [own, on] = typeof labels === 'string' ? [{}, labels] : [labels, state];
    this.#check(on);
    for (const each of this.states) this.#seriesOf(own, each).turn(each === on);
  }

  /**
   * Turns one state on or off. The others stay as they are.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown state
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  turn(state: S, on: boolean): void;
  turn(labels: AnyLabels<T>, state: S, on: boolean): void;
  turn(labels: AnyLabels<T> | S, state: S | boolean, on?: boolean): void {
    const [own, turned, isOn] = typeof labels === 'string' ? [{}, labels, state] : [labels, state, on];
    this.#check(turned);
    if (typeof isOn !== 'boolean') refuseOption('true or false', 'on', isOn);
    // All states are shown, also those that were never turned.
    for (const each of this.states) {
      if (each === turned) this.#seriesOf(own, each).turn(isOn);
      else this.#seriesOf(own, each)[revived]();
    }
  }

  /** @internal */
  override get [valuesOf](): readonly string[] {
    return this.states;
  }

  /** The states that are on for these labels. */
  value(labels: AnyLabels<T> = {} as AnyLabels<T>): S[] {
    return this.states.filter((state) => this[seriesSet].cells(this.#withState(labels, state))?.[0] === 1);
  }

  /** Removes all series. A state set without labels is as it was at first. */
  reset(): void {
    this[seriesSet].clear();
    if (!this.#hasLabels()) for (const state of this.states) this.#seriesOf({}, state).turn(state === this.#initial);
  }

  #hasLabels(): boolean {
    return this.labelNames.length > 1;
  }

  #seriesOf(labels: object, state: S): StateCells {
    return this[seriesSet].at(this.#withState(labels, state));
  }

  #withState(labels: object, state: S): AnyLabels<T> {
    return { ...labels, [this.name]: state } as unknown as AnyLabels<T>;
  }

  #check(state: unknown): void {
    if (this.states.includes(state as S)) return;
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected one of ${this.states.join(', ')} for a state of ${this.name} but received ${describe(state)}`,
    );
  }
}

function checkedStates(states: unknown): readonly string[] {
  const isName = (state: unknown) => typeof state === 'string' && state !== '';
  const usable = Array.isArray(states) && states.length > 0 && [...states].every(isName);
  if (!usable || new Set(states).size < states.length) refuseOption('different, not empty strings', 'states', states);
  return [...states];
}

/** The configuration with the label of the states. */
function withState<S extends string, T extends string>(configuration: StateSetConfiguration<S, T>): object {
  const { name, labelNames = [] } = configuration;
  if (Array.isArray(labelNames) && labelNames.includes(name as unknown as T)) {
    throw new RegistrationError(
      'INVALID_LABEL_NAME',
      `${name} is a reserved label keyword: a state set shows its states in it`,
    );
  }
  return {
    aggregator: 'max',
    ...configuration,
    labelNames: Array.isArray(labelNames) ? [...labelNames, name] : labelNames,
  };
}
