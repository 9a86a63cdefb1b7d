// node:http2 sessions of clients in tests. Thread: main.

import type { ClientHttp2Session } from 'node:http2';
import type { TestContext } from 'node:test';

/**
 * Destroys a session after the test. Hooks run in the order of their registration, so that Fairlead may have reset the
 * connection by then: the session's own error is ignored, and a failure during the test shows at its streams.
 */
export function endWithTest(t: Pick<TestContext, 'after'>, session: ClientHttp2Session): void {
  session.on('error', () => undefined);
  t.after(() => session.destroy());
}
