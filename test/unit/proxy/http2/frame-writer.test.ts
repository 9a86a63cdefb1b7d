// Frames as the writer assembles them: read back by the frame reader, with buffers that grow and are reused. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../../proxy/http2/error-code.ts';
import { FrameReader, type FrameSink } from '../../../../proxy/http2/frame-reader.ts';
import { FrameMemory, FrameWriter } from '../../../../proxy/http2/frame-writer.ts';

/** Records the frames of a connection as text. */
class Recorder implements FrameSink {
  readonly frames: string[] = [];

  onDataStart(stream: number, flowBytes: number): void {
    this.frames.push(`data ${stream} ${flowBytes}`);
  }
  onData(): void {
    // Counted by onDataStart.
  }
  onDataEnd(stream: number, isEndStream: boolean): void {
    if (isEndStream) this.frames.push(`end ${stream}`);
  }
  onHeaders(stream: number, isEndStream: boolean, _block: Uint8Array, start: number, end: number): void {
    this.frames.push(`headers ${stream} ${end - start}${isEndStream ? ' end' : ''}`);
  }
  onReset(stream: number, code: number): void {
    this.frames.push(`reset ${stream} ${code}`);
  }
  onSettings(bytes: Uint8Array, start: number, end: number): void {
    this.frames.push(`settings ${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
  }
  onSettingsAck(): void {
    this.frames.push('settings ack');
  }
  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    this.frames.push(`ping ${isAck} ${Buffer.from(bytes.subarray(start, start + 8)).toString('latin1')}`);
  }
  onGoaway(lastStream: number, code: number): void {
    this.frames.push(`goaway ${lastStream} ${code}`);
  }
  onWindowUpdate(stream: number, increment: number): void {
    this.frames.push(`window ${stream} ${increment}`);
  }
  onStreamError(stream: number, code: ErrorCode): void {
    this.frames.push(`stream error ${stream} ${code}`);
  }
  onConnectionError(code: ErrorCode, reason: string): void {
    this.frames.push(`connection error ${code} ${reason}`);
  }
}

/** Reads everything that the writer holds. */
function framesOf(writer: FrameWriter): string[] {
  const recorder = new Recorder();
  const { length } = writer;
  new FrameReader(recorder).feed(writer.take(), 0, length);
  return recorder.frames;
}

describe('frame writer', () => {
  test('assembles frames of every type in order', () => {
    const writer = new FrameWriter(new FrameMemory());
    const bytes = Buffer.from('headers!');
    writer.addSettings([0x3, 100, 0x4, 0x10000]);
    writer.addSettingsAck();
    writer.addWindowUpdate(0, 0x7fffffff);
    writer.addHeaders(1, false, bytes, 0, 4);
    writer.addData(1, false, bytes, 2, 5);
    writer.addData(1, true, bytes, 0, 0);
    writer.addHeaders(0x7fffffff, true, bytes, 0, 8);
    writer.addPing(true, bytes, 0);
    writer.addReset(3, ErrorCode.REFUSED_STREAM);
    writer.addGoaway(0x7fffffff, ErrorCode.NO_ERROR, 'draining');
    assert.deepEqual(framesOf(writer), [
      'settings 000300000064000400010000',
      'settings ack',
      'window 0 2147483647',
      'headers 1 4',
      'data 1 3',
      'data 1 0',
      'end 1',
      'headers 2147483647 8 end',
      'ping true headers!',
      'reset 3 7',
      'goaway 2147483647 0',
    ]);
    assert.equal(writer.length, 0);
  });

  test('splits a header block by the largest frame of the peer', () => {
    const block = Buffer.alloc(40_000, 7);
    for (const { maxFrameBytes, frames } of [
      { maxFrameBytes: 16_384, frames: [0x1, 0x9, 0x9] },
      { maxFrameBytes: 20_000, frames: [0x1, 0x9] },
      { maxFrameBytes: 65_536, frames: [0x1] },
    ]) {
      const writer = new FrameWriter(new FrameMemory());
      writer.maxFrameBytes = maxFrameBytes;
      writer.addHeaders(5, true, block, 0, block.length);
      const { length } = writer;
      const out = writer.take();
      const seen: number[] = [];
      for (let at = 0; at < length; at += 9 + out.readUIntBE(at, 3)) {
        seen.push(out[at + 3]!);
        const isLast = seen.length === frames.length;
        assert.equal(out[at + 4], (seen.length === 1 ? 0x1 : 0) | (isLast ? 0x4 : 0));
      }
      assert.deepEqual(seen, frames);
    }
  });

  test('splits body bytes into frames of 16 KiB, of which the last one ends the stream', () => {
    const writer = new FrameWriter(new FrameMemory());
    writer.addSettings([]);
    writer.addData(1, true, Buffer.alloc(100_000), 0, 100_000);
    const frames = framesOf(writer).slice(1);
    assert.deepEqual(frames, [...Array(6).fill('data 1 16384'), `data 1 ${100_000 - 6 * 16_384}`, 'end 1']);
  });

  test('keeps the bytes of earlier frames when its buffer grows', () => {
    const writer = new FrameWriter(new FrameMemory());
    writer.addPing(false, Buffer.from('12345678'), 0);
    const body = Buffer.alloc(300_000, 'abc');
    writer.addData(1, true, body, 0, body.length);
    const { length } = writer;
    const out = writer.take();
    assert.equal(out.toString('latin1', 9, 17), '12345678');
    let joined = '';
    for (let at = 17; at < length; at += 9 + out.readUIntBE(at, 3)) {
      joined += out.toString('latin1', at + 9, at + 9 + out.readUIntBE(at, 3));
    }
    assert.equal(joined, body.toString('latin1'));
  });

  test('takes buffers again that were given back', () => {
    const memory = new FrameMemory();
    const small = memory.take(10);
    const large = memory.take(60_000);
    memory.give(small);
    memory.give(large);
    assert.equal(memory.take(60_000), large);
    assert.equal(memory.take(10), small);
    assert.notEqual(memory.take(10), small);
  });
});
