// Mounts handlers as the packages `connect` and `koa-mount` do.

/** A Connect application: `use()` takes a path off the URL and keeps the whole in `originalUrl`. */
export function connect() {
  const layers = [];
  const app = (request, response) => {
    request.originalUrl ??= request.url;
    let at = 0;
    const next = () => {
      request.url = request.originalUrl;
      const layer = layers[at++];
      if (layer === undefined) {
        response.statusCode = 404;
        return response.end();
      }
      const { path, handle } = layer;
      const here = request.url.split('?')[0];
      if (here !== path && !here.startsWith(`${path}/`)) return next();
      request.url = request.url.slice(path.length);
      if (!request.url.startsWith('/')) request.url = `/${request.url}`;
      return handle(request, response, next);
    };
    next();
  };
  app.use = (path, handle) => layers.push(typeof path === 'string' ? { path, handle } : { path: '', handle: path });
  return app;
}

/** `mount()` of koa-mount: a middleware is called as it is, the middleware of an application is composed. */
export function mountKoa(prefix, mounted) {
  const downstream = mounted.middleware === undefined ? mounted : composed(mounted.middleware);
  return async (context, upstream) => {
    const before = context.path;
    if (before !== prefix && !before.startsWith(`${prefix}/`)) return upstream();
    context.mountPath = prefix;
    context.path = before.slice(prefix.length) || '/';
    try {
      await downstream(context, async () => {
        context.path = before;
        await upstream();
      });
    } finally {
      context.path = before;
    }
  };
}

/** As koa-compose: each `next` is a bound function. */
function composed(middleware) {
  return (context, next) => {
    function dispatch(at) {
      const layer = at === middleware.length ? next : middleware[at];
      return Promise.resolve(layer(context, dispatch.bind(null, at + 1)));
    }
    return dispatch(0);
  };
}
