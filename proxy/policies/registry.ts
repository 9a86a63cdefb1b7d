// The policies of Fairlead's own. A new one is one file and one line here. Within a stage they run in this order.
// Thread: both.

import type { OptionShape } from '../../core/option-schema.ts';
import type { BuiltInPolicy, PolicyScope } from '../../core/policy/policy-definition.ts';
import { acmeChallenge } from './acme-challenge.ts';
import { accessLog } from './access-log.ts';
import { addressRules, listenerAddressRules } from './address-rules.ts';
import { basicAuth } from './basic-auth.ts';
import { clientConcurrency } from './client-concurrency.ts';
import { compress } from './compress.ts';
import { cors } from './cors.ts';
import { errorPages, listenerErrorPages } from './error-pages.ts';
import { forwardAuth } from './forward-auth.ts';
import { forwardingFields } from './forwarding-fields.ts';
import { grpcMetrics } from './grpc-metrics.ts';
import { grpcWeb } from './grpc-web.ts';
import { headerEdits, upstreamHeaderEdits } from './header-edits.ts';
import { maintenance, upstreamMaintenance } from './maintenance.ts';
import { mirror } from './mirror.ts';
import { rateLimit } from './rate-limit.ts';
import { redirectToHttps } from './redirect-to-https.ts';
import { responseBuffer } from './response-buffer.ts';
import { responseLimit } from './response-limit.ts';
import { rewrite } from './rewrite.ts';
import { securityHeaders } from './security-headers.ts';
import { shedding } from './shedding.ts';
import { split } from './split.ts';
import { stickyCookie } from './sticky-cookie.ts';
import { traceContext } from './trace-context.ts';
import { tracing } from './tracing.ts';

export const POLICIES = [
  tracing,
  acmeChallenge,
  grpcWeb,
  maintenance,
  accessLog,
  grpcMetrics,
  responseBuffer,
  compress,
  listenerAddressRules,
  addressRules,
  redirectToHttps,
  shedding,
  rateLimit,
  clientConcurrency,
  cors,
  basicAuth,
  forwardAuth,
  listenerErrorPages,
  errorPages,
  split,
  rewrite,
  securityHeaders,
  headerEdits,
  upstreamHeaderEdits,
  stickyCookie,
  traceContext,
  responseLimit,
  mirror,
  forwardingFields,
  upstreamMaintenance,
] as const;

/** A policy of the table, whatever its options are. */
export type AnyBuiltInPolicy = BuiltInPolicy<PolicyScope, OptionShape, unknown>;
