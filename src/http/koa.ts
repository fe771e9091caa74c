/**
 * The door as a Koa middleware: answers go through Koa's context, so that middleware around it sees them.
 */
import type { IncomingMessage } from 'node:http';
import { doorRequest, sendable } from './answer';
import type { Door } from './door';

/** What the middleware needs of Koa's context. */
export interface KoaDoorContext {
  readonly req: IncomingMessage;
  /** What mounting has left of the request's target. */
  readonly url: string;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

/** A Koa middleware that answers some paths and leaves others to the next. */
export type KoaDoorMiddleware = (context: KoaDoorContext, next: () => Promise<unknown>) => Promise<unknown>;

/** A middleware before this door. */
export function koaDoor(door: Door): KoaDoorMiddleware {
  return async (context, next) => {
    const request = doorRequest(context.req, context.url);
    const answer = await door.answer(request);
    if (answer === null) return next();
    context.status = answer.status;
    // Before the headers, because Koa guesses some from a body.
    context.body = sendable(request.method, answer.body);
    context.set(answer.headers);
    return undefined;
  };
}
