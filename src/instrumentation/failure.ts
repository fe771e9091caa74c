/**
 * Finds the failure that an answer or a chunk with status 200 reports, in each place where APIs and gateways put it.
 */
import { read, readNumber } from '../read';

/** The failure, to be classified like a thrown error; undefined if the answer reports none. */
export function findFailure(answer: unknown): unknown {
  const error = present(read(answer, 'error'));
  if (error !== undefined) return typeof error === 'string' ? { message: error, error: answer } : error;
  if (read(answer, 'object') === 'error' || read(answer, 'type') === 'error') return answer;
  const choice = read(read(answer, 'choices'), '0');
  const inChoice = present(read(choice, 'error'));
  if (inChoice !== undefined) return inChoice;
  if (read(choice, 'finish_reason') === 'error') return 'server_error';
  if (read(answer, 'success') === false) return present(read(read(answer, 'errors'), '0')) ?? answer;
  return readBaseResponse(read(answer, 'base_resp'));
}

/** MiniMax reports a status of its own in each answer. */
function readBaseResponse(base: unknown): unknown {
  const code = readNumber(base, 'status_code') ?? 0;
  return code === 0 ? undefined : { code, message: read(base, 'status_msg') };
}

/** Some servers have the field in each answer: null, empty, or an object without a value. */
function present(error: unknown): unknown {
  if (isUnset(error)) return undefined;
  const isEmpty =
    typeof error === 'object' && Object.getOwnPropertyNames(error).every((name) => isUnset(read(error, name)));
  return isEmpty ? undefined : error;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === false || value === 0;
}
