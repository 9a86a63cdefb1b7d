// The Transport contract: cases that every transport passes. Thread: main.

import { describe } from 'node:test';
import type { TransportUnderTest } from '../../../support/transport-bench.ts';
import { abortCases } from './abort-cases.ts';
import { failureCases } from './failure-cases.ts';
import { flowCases } from './flow-cases.ts';
import { poolCases } from './pool-cases.ts';
import { requestCases } from './request-cases.ts';
import { responseCases } from './response-cases.ts';

/** Runs all cases against one transport. */
export function transportCases(subject: TransportUnderTest): void {
  describe(`transport: ${subject.name}`, () => {
    describe('requests', () => requestCases(subject));
    describe('responses', () => responseCases(subject));
    describe('failures', () => failureCases(subject));
    describe('aborts', () => abortCases(subject));
    describe('flow', () => flowCases(subject));
    describe('connections', () => poolCases(subject));
  });
}
