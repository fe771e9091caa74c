/**
 * The door as a Koa middleware. It answers through Koa's context, so that outer middleware sees the answer.
 */
import type { IncomingMessage } from 'node:http';
import { doorRequest, sendable } from './answer';
import type { Door } from './door';

/** The part of Koa's context that is used. */
export interface KoaDoorContext {
  readonly req: IncomingMessage;
  /** Path and query, without the prefix of `koa-mount`. */
  readonly url: string;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

/** A Koa middleware that answers the door's paths and calls `next` for others. */
export type KoaDoorMiddleware = (context: KoaDoorContext, next: () => Promise<unknown>) => Promise<unknown>;

/** Makes a Koa middleware of a door. */
export function koaDoor(door: Door): KoaDoorMiddleware {
  return async (context, next) => {
    const request = doorRequest(context.req, context.url);
    const answer = await door.answer(request);
    if (answer === null) return next();
    context.status = answer.status;
    // Set the body before the headers, because Koa sets some headers for a body.
    context.body = sendable(request.method, answer.body);
    context.set(answer.headers);
    return undefined;
  };
}
