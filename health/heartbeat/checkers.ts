// The kinds of heartbeat by their name in the configuration. A new kind is one file and one line here. Thread: main.

import type { Checkers } from './heartbeat-contract.ts';
import { grpcCheck } from './grpc-check.ts';
import { httpCheck } from './http-check.ts';
import { tcpCheck } from './tcp-check.ts';

export const checkers: Checkers = { http: httpCheck, tcp: tcpCheck, grpc: grpcCheck };
