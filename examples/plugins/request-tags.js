// An example plugin: three small policies, one for each scope (listener, route, upstream). It has no imports, so that it
// loads from any folder; with TypeScript, import the types from fairlead/plugin.

/** On a listener: marks the requests that arrive there. */
const tagRequests = {
  name: 'tag-requests',
  scope: 'listener',
  options: ({ fieldName, fieldValue }) => ({
    field: fieldName().prefault('X-Entrance').describe('Field to set.'),
    value: fieldValue().describe('Its value.'),
  }),
  compile: ({ field, value }) => ({ set: [field, value], remove: [] }),
  create: (requestFields) => ({ requestFields }),
};

/** On a route: answers 400 if a field is missing. */
const requireField = {
  name: 'require-field',
  stage: 'authorize',
  needs: ['reply'],
  options: ({ fieldName }) => ({ name: fieldName().describe('Field that requests must have.') }),
  compile: ({ name }) => ({ name: name.toLowerCase() }),
  create: ({ name }) => ({
    onRequest(exchange) {
      if (exchange.request.field(name) !== undefined) return undefined;
      return { status: 400, fields: ['Content-Type', 'text/plain'], body: `The field ${name} is missing.\n` };
    },
  }),
};

/** On an upstream: reports the endpoint that answered to the client. */
const nameEndpoint = {
  name: 'name-endpoint',
  scope: 'upstream',
  options: () => ({}),
  compile: () => ({}),
  create: () => ({
    onResponse(exchange) {
      exchange.setResponseField('X-Endpoint', exchange.endpoint.id);
    },
  }),
};

export const policies = [tagRequests, requireField, nameEndpoint];
