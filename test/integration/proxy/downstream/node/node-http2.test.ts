// HTTP/2 over node:http2. Thread: main.

import { http2Cases } from '../http2/http2-cases.ts';

http2Cases();
