// All proxies of the chaos run, in the order of its tables. Thread: main.

import { caddy } from './caddy.ts';
import { fairlead } from './fairlead.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Proxy } from './proxy.ts';

export const PROXIES: readonly Proxy[] = [fairlead, haproxy, nginx, caddy];
