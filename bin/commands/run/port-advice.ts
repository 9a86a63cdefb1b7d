// Next step for an address that is taken: the option or the key that chooses another one. Thread: main.

import { AdminBindError } from '../../../admin/api/admin-bind.ts';
import { BindError } from '../../../control/supervisor/bind-error.ts';

/** Options of a command that choose ports; a command without them reads the keys of a file. */
export interface PortOptions {
  readonly listener: string;
  readonly admin: string;
}

/** Added to the message of an error; '' for one that is not about an address in use. */
export function portAdvice(error: Error, options: PortOptions | undefined): string {
  const isOfListener = error instanceof BindError;
  if (!(isOfListener || error instanceof AdminBindError) || !/EADDRINUSE|already|another/.test(error.message))
    return '';
  if (options !== undefined) return `; choose another port with ${isOfListener ? options.listener : options.admin}`;
  return `; stop that process, or change ${isOfListener ? 'listeners[].bind' : 'admin.bind'}`;
}
