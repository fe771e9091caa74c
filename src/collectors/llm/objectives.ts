/**
 * The program's objectives for requests, their validation, and whether a request met them. It must not know series.
 */
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { toSeconds } from '../amount';
import type { LlmStatus } from '../words';
import type { LlmRequest } from './request';

/**
 * Objectives for requests. A request meets an objective for a figure that it does not have: one that was not streamed has no
 * time to its first token.
 */
export interface LlmObjectives {
  /** From the request to the first chunk with content, at most. @default none */
  timeToFirstTokenMs?: number | undefined;
  /** Between two tokens of a stream on average, at most. @default none */
  timePerOutputTokenMs?: number | undefined;
  /** From the request to the end of its answer, at most. @default none */
  durationMs?: number | undefined;
}

const NAMES = optionNames<LlmObjectives>('objectives', {
  timeToFirstTokenMs: true,
  timePerOutputTokenMs: true,
  durationMs: true,
});

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkObjectives(option: LlmObjectives | undefined): LlmObjectives | undefined {
  if (option === undefined) return undefined;
  if (typeof option !== 'object' || option === null) refuseOption('objectives', 'objectives', option);
  checkOptionNames(option, NAMES);
  const set = Object.entries(option).filter(([, ms]) => ms !== undefined);
  for (const [name, ms] of set) {
    if (typeof ms !== 'number' || !(ms > 0)) refuseOption('milliseconds above 0', `objectives.${name}`, ms);
  }
  return set.length === 0 ? undefined : option;
}

/** Undefined for a cancelled request: its caller may have had enough. */
export function objectiveResult(
  objectives: LlmObjectives,
  { timeToFirstTokenMs, durationMs }: LlmRequest,
  status: LlmStatus,
  secondsPerToken: number | undefined,
): 'met' | 'missed' | 'failed' | undefined {
  if (status !== 'success') return status === 'cancelled' ? undefined : 'failed';
  const isMet =
    isWithin(timeToFirstTokenMs, objectives.timeToFirstTokenMs) &&
    isWithin(durationMs, objectives.durationMs) &&
    isWithin(secondsPerToken, toSeconds(objectives.timePerOutputTokenMs));
  return isMet ? 'met' : 'missed';
}

function isWithin(figure: number | undefined, most: number | undefined): boolean {
  return figure === undefined || most === undefined || figure <= most;
}
