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
  return readBaseResponse(read(answer, 'base_resp'));
}

/** MiniMax reports a status of its own in each answer. */
function readBaseResponse(base: unknown): unknown {
  const code = readNumber(base, 'status_code') ?? 0;
  return code === 0 ? undefined : { code, message: read(base, 'status_msg') };
}

function present(error: unknown): unknown {
  return error === null || error === '' || error === false ? undefined : error;
}
