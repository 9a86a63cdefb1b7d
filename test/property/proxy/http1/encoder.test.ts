// Encoded heads scan again to exactly the fields kept and added. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeRequestHead, HeadEdit, passFraming } from '../../../../proxy/http1/encoder.ts';
import { fieldPrefix } from '../../../../proxy/http1/field-line.ts';
import { FORWARDING_KINDS } from '../../../../proxy/http1/field-kind.ts';
import { frameRequest, Framing } from '../../../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../../../proxy/http1/head-scanner.ts';
import { MessageHead } from '../../../../proxy/http1/message-head.ts';
import { makeRequest } from '../../../support/http1-generators.ts';
import { forSeeds } from '../../../support/seeded-property.ts';

const HOP_BY_HOP = /^(?:connection|keep-alive|proxy-connection|te|upgrade|proxy-authorization)$/;
const FORWARDING = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

function scan(text: string): { readonly head: MessageHead; readonly framing: Framing } {
  const head = new MessageHead();
  const framing = new Framing();
  const bytes = Buffer.from(text, 'latin1');
  assert.equal(new HeadScanner().scanRequest(head, bytes, 0, bytes.length), Scan.COMPLETE, JSON.stringify(text));
  assert.equal(frameRequest(head, framing), 0, JSON.stringify(text));
  return { head, framing };
}

function namesOf(list: readonly string[]): string[] {
  return list.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
}

describe('encoded requests', () => {
  test('scan again to the same start line, framing and kept fields, and to those added', () => {
    forSeeds(1500, (random) => {
      const { head, framing } = scan(makeRequest(random));
      const edit = new HeadEdit();
      edit.cut(FORWARDING_KINDS);
      passFraming(framing, edit);
      edit.addField(fieldPrefix('X-Forwarded-For'), '10.0.0.1');
      const again = scan(encodeRequestHead(head, edit));
      assert.equal(again.head.methodText, head.methodText);
      assert.equal(again.head.targetText, head.targetText);
      assert.equal(again.head.hostText, head.hostText);
      assert.deepEqual([again.framing.body, again.framing.lengthBytes], [framing.body, framing.lengthBytes]);
      const kept = head.fieldList(edit.cutKinds);
      assert.deepEqual(again.head.fieldList(0).slice(0, kept.length), kept);
      const added = again.head.fieldList(0).slice(kept.length);
      assert.deepEqual(added.slice(-2), ['X-Forwarded-For', '10.0.0.1']);
      assert.ok(namesOf(added.slice(0, -2)).every((name) => /^(?:transfer-encoding|content-length)$/.test(name)));
      assert.equal(
        namesOf(kept).some((name) => HOP_BY_HOP.test(name) || FORWARDING.test(name)),
        false,
      );
    });
  });
});
