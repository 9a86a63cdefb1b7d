// Checks of `register`: the listeners that are registered. Thread: main.

import type { CheckContext } from './parsed-config.ts';
import { unknownName } from './validate-routes.ts';

/** A registration has a port: that of a listener bound to a TCP address. */
export function checkRegister(context: CheckContext): void {
  const all = context.config.listeners.filter((one) => one !== null);
  const place = ['register', 'consul'];
  const isList = Array.isArray(context.tree.valueAt(place));
  for (const [index, { listener }] of (context.config.register?.consul ?? []).entries()) {
    const path = [...place, ...(isList ? [index] : []), ...(listener === undefined ? [] : ['listener'])];
    const named = all.filter(({ name }) => listener === undefined || name === listener);
    if (listener !== undefined && named.length === 0) {
      const names = all.map(({ name }) => name);
      context.report({ code: 'FL3002', path, ...unknownName('listener', listener, names) });
    } else if (named.length > 0 && named.every(({ bind }) => bind.kind !== 'tcp')) {
      const which = listener === undefined ? 'no listener' : `listener ${listener} not`;
      const message = `a registration needs a TCP port, and ${which} is bound to one: name a listener with bind host:port`;
      context.report({ code: 'FL3008', path, message });
    }
  }
}
