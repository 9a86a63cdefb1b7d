// All proxies of the benchmark, in the order of its tables. Thread: main.

import { caddy } from './caddy.ts';
import { fairlead, fairleadGeneral } from './fairlead.ts';
import { haproxy } from './haproxy.ts';
import { httpProxy3 } from './http-proxy-3.ts';
import { nginx } from './nginx.ts';
import type { Proxy } from './proxy.ts';

export const PROXIES: readonly Proxy[] = [fairlead, fairleadGeneral, haproxy, nginx, caddy, httpProxy3];
